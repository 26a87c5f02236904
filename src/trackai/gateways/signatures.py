"""Proofs of authenticity: comparisons in constant time, over all secrets that are valid now.

Nothing returns early on the first secret that fits, and a blank secret never verifies: whoever
knows that none is set could sign with it.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence

import msgspec

from trackai.gateways.port import ProofFailure


def usable(secrets: Iterable[str]) -> list[bytes]:
    """Return the secrets that are not blank, as bytes."""
    return [_to_bytes(secret) for secret in secrets if secret.strip()]


def prove_token(given: object, secrets: Sequence[str]) -> ProofFailure | None:
    """Compare a token that was sent along; digests hide the lengths."""
    keys = usable(secrets)
    if not keys:
        return ProofFailure.NO_SECRET
    if given is None or given == "":
        return ProofFailure.MISSING
    if not isinstance(given, str):
        return ProofFailure.MALFORMED
    return None if _any_equal([_digest(_to_bytes(given))], map(_digest, keys)) else _MISMATCH


def prove_token_in_body(body: bytes, name: str, secrets: Sequence[str]) -> ProofFailure | None:
    """Compare the token at this place in the root of a JSON body."""
    if not usable(secrets):
        return ProofFailure.NO_SECRET
    try:
        # Anybody may send a body: only what stands at this place is built, the rest is skipped.
        given = _MEMBERS.decode(body).get(name)
        return prove_token(None if given is None else _VALUE.decode(given), secrets)
    except (ValueError, RecursionError):
        return ProofFailure.BODY_UNREADABLE


_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_VALUE = msgspec.json.Decoder()


def prove_hmac(
    algorithm: str, messages: Sequence[bytes], given: Iterable[str], secrets: Sequence[str]
) -> ProofFailure | None:
    """Compare lower-case hexadecimal HMACs: any of those given may fit any message and secret."""
    keys = usable(secrets)
    if not keys:
        return ProofFailure.NO_SECRET
    expected = [
        hmac.new(key, message, algorithm).hexdigest().encode()
        for key in keys
        for message in messages
    ]
    return None if _any_equal([_to_bytes(one) for one in given], expected) else _MISMATCH


def header_text(value: str) -> str:
    """Return a header as its sender meant it: servers hand UTF-8 over as Latin-1."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


_MISMATCH = ProofFailure.MISMATCH


def _any_equal(given: Sequence[bytes], expected: Iterable[bytes]) -> bool:
    found = False
    for right in expected:
        for one in given:
            found |= hmac.compare_digest(one, right)
    return found


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


def _to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
