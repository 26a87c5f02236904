"""Encryption at rest: AES-256-GCM envelopes around bodies, secrets, buyers and visitors.

An envelope is one version byte, four bytes that name the key, a random 96-bit nonce, then
ciphertext and tag (NIST SP 800-38D). The context (table, column, tenant) is authenticated with
it, so a value copied to another tenant's row does not open. Random nonces bound one key to 2^32
envelopes; rotate the key long before.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trackai.errors import ConfigurationError, InvariantBroken

KEY_BYTES = 32
_VERSION = b"\x01"
_KEY_NAME_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = 1 + _KEY_NAME_BYTES + _NONCE_BYTES


class Envelope:
    """Seals with the first key, opens with any."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ConfigurationError(
                "TRACKAI_SECRET_KEY must hold 32 bytes in base64 (several: comma-separated). "
                "Make one with: trackai secret-key"
            )
        self._ciphers = {_key_name(key): AESGCM(key) for key in keys}
        self._first = _key_name(keys[0])
        self._seal = self._ciphers[self._first].encrypt
        self._prefix = _VERSION + self._first
        self._digest_key = hashlib.sha256(b"trackai digest\x00" + keys[-1]).digest()

    def seal(self, plain: bytes, *, table: str, tenant_id: UUID) -> bytes:
        """Return the envelope of these bytes for one table and tenant."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._prefix + nonce + self._seal(nonce, plain, _context(table, tenant_id))

    def open(self, sealed: bytes, *, table: str, tenant_id: UUID) -> bytes:
        """Return the bytes inside; InvariantBroken when the key is unknown or the bytes changed."""
        cipher = self._ciphers.get(sealed[1 : 1 + _KEY_NAME_BYTES])
        if sealed[:1] != _VERSION or cipher is None:
            raise InvariantBroken(
                "A stored value was encrypted with a key that is not in TRACKAI_SECRET_KEY."
            )
        nonce = sealed[1 + _KEY_NAME_BYTES : _HEADER_BYTES]
        try:
            return cipher.decrypt(nonce, sealed[_HEADER_BYTES:], _context(table, tenant_id))
        except InvalidTag:
            raise InvariantBroken("A stored value does not open: its bytes changed.") from None

    def digest(self, plain: bytes) -> bytes:
        """Return a keyed fingerprint (HMAC-SHA256) for finding equal bodies without reading them.

        Keyed with the oldest key, so adding a new key in front keeps old fingerprints valid.
        """
        return hmac.digest(self._digest_key, plain, "sha256")


def parse_keys(text: str) -> list[bytes]:
    """Read comma-separated base64 keys; ConfigurationError without the value when unreadable."""
    try:
        return [base64.b64decode(part.strip(), validate=True) for part in text.split(",")]
    except ValueError:
        raise ConfigurationError("TRACKAI_SECRET_KEY is not base64.") from None


def new_key_text() -> str:
    """Make a key in the form TRACKAI_SECRET_KEY takes."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def development_key(directory: Path) -> str:
    """Return the key kept in this directory, made on first use, readable by its owner alone."""
    path = directory / "secret-key"
    if path.exists():
        return path.read_text()
    directory.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"secret-key.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(new_key_text())
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link appears whole or not at all, and never replaces a key that is in use.
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # another process made it first: use that one
    finally:
        draft.unlink()
    return path.read_text()


def _key_name(key: bytes) -> bytes:
    return hashlib.sha256(b"trackai key name\x00" + key).digest()[:_KEY_NAME_BYTES]


def _context(table: str, tenant_id: UUID) -> bytes:
    return table.encode() + b"\x00" + tenant_id.bytes
