"""How long the certificate of the public address lasts: the address is asked, as a browser would.

Whoever renews it does so a month before its end, so that two weeks before it somebody must look.
"""

import asyncio
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
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.hostname is None:
        return {}
    try:
        async with asyncio.timeout(TIMEOUT_S):
            der = await _fetch(parts.hostname, parts.port or 443)
    except (OSError, TimeoutError):  # of TLS, too
        return {}
    if der is None:
        return {}
    ends = x509.load_der_x509_certificate(der).not_valid_after_utc
    return {Metric.CERTIFICATE_DAYS_LEFT: (ends - clock.now()).total_seconds() / _DAY_S}


async def _fetch(host: str, port: int) -> bytes | None:
    # One that is over or somebody else's is what we want to see, too: nothing is sent over it.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    try:
        found: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
        return found.getpeercert(binary_form=True) if found else None
    finally:
        writer.close()
