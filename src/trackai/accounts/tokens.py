"""Random tokens: what a browser, a link or a program holds. Stored is their SHA-256 alone."""

import hashlib
import secrets

BYTES = 32
MOST_CHARS = 100


def new_token() -> str:
    """Return 256 random bits as text for an address, a cookie or a key."""
    return secrets.token_urlsafe(BYTES)


def digest_of(token: str) -> bytes:
    """Return what is stored of a token: it has 256 random bits, so a plain digest will do."""
    return hashlib.sha256(token.encode()).digest()
