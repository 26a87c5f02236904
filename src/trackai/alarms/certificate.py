"""How long the certificate of the public address lasts: the address is asked, as a browser would.

Whoever renews it does so a month before its end, so that two weeks before it somebody must look.
"""

import asyncio
import datetime as dt
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from cryptography import x509

from trackai.model.alarm import Metric
from trackai.model.clock import Clock

TIMEOUT_S = 10.0
_DAY_S = 86_400


async def certificate_days(url: str, clock: Clock) -> Mapping[Metric, float]:
    """Return the days that are left; nothing when the address has none or does not answer."""
    if not is_https(url):
        return {}
    try:
        # One that is over or somebody else's is what we want to see, too.
        ends = await certificate_end(url, trusted=False)
    except (OSError, TimeoutError):  # of TLS, too
        return {}
    return {Metric.CERTIFICATE_DAYS_LEFT: (ends - clock.now()).total_seconds() / _DAY_S}


def is_https(url: str) -> bool:
    """Tell whether an address has a certificate."""
    parts = urlsplit(url)
    return parts.scheme == "https" and parts.hostname is not None


async def certificate_end(url: str, *, trusted: bool) -> dt.datetime:
    """Return when an https address' certificate ends; `trusted`: one that a browser would take.

    Raises OSError (ssl.SSLCertVerificationError among them) or TimeoutError.
    """
    parts = urlsplit(url)
    host, context = parts.hostname or "", ssl.create_default_context()
    if not trusted:  # nothing is sent over it
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    async with asyncio.timeout(TIMEOUT_S):
        _, writer = await asyncio.open_connection(
            host, parts.port or 443, ssl=context, server_hostname=host
        )
    try:
        found: ssl.SSLObject = writer.get_extra_info("ssl_object")
        der = found.getpeercert(binary_form=True) or b""  # a server always has one
        return x509.load_der_x509_certificate(der).not_valid_after_utc
    finally:
        writer.close()
