"""Encryption at rest: AES-256-GCM envelopes around bodies, secrets, buyers and visitors.

Every tenant has a random key of its own, which is stored wrapped by the installation's key
(`storage/tenant_keys.py`): without its row, whatever the tenant has sealed is noise.

An envelope is one version byte, four bytes that name the key, a random 96-bit nonce, then
ciphertext and tag (NIST SP 800-38D). The context (table, column, tenant) is authenticated with
it, so a value copied to another tenant's row does not open. Random nonces bound one key to 2^32
envelopes.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from trackai.errors import ConfigurationError, InvariantBroken

KEY_BYTES = 32
# Under the installation's key: tenants' keys, and what was stored before tenants had keys.
_UNDER_INSTALLATION = b"\x01"
_UNDER_TENANT = b"\x02"
_KEY_NAME_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = 1 + _KEY_NAME_BYTES + _NONCE_BYTES
_WRAPPED = "tenant_keys"


@dataclass(frozen=True, slots=True)
class _TenantKey:
    """A tenant's key, ready for use."""

    prefix: bytes
    cipher: AESGCM
    digest_key: bytes


class Envelope:
    """Seals with a tenant's key; opens with it, or with any of the installation's keys.

    A tenant's key must have been learned first: `tenant_keys.know()` does that in a transaction.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ConfigurationError(
                "TRACKAI_SECRET_KEY must hold 32 bytes in base64 (several: comma-separated). "
                "Make one with: trackai secret-key"
            )
        self._roots = {_key_name(key): key for key in keys}
        self._ciphers = {_key_name(key): AESGCM(key) for key in keys}
        self._first = _key_name(keys[0])
        self._digest_key = _digest_key(keys[-1])
        self._tenants: dict[UUID, _TenantKey] = {}

    def unknown(self, tenant_ids: Iterable[UUID]) -> set[UUID]:
        """Return those of these tenants whose keys have not been learned."""
        return set(tenant_ids).difference(self._tenants)

    def new_wrapped(self, tenant_id: UUID) -> bytes:
        """Make a tenant's key and return it wrapped by the installation's first key."""
        return self._wrap(secrets.token_bytes(KEY_BYTES), tenant_id)

    def learn(self, tenant_id: UUID, wrapped: bytes) -> None:
        """Take a tenant's key; InvariantBroken when no key of the installation unwraps it."""
        key = self._unwrap(wrapped, tenant_id)
        prefix = _UNDER_TENANT + _key_name(key)
        self._tenants[tenant_id] = _TenantKey(prefix, AESGCM(key), _digest_key(key))

    def rewrap(self, tenant_id: UUID, wrapped: bytes) -> bytes | None:
        """Wrap a tenant's key by the installation's first key; None when it is already."""
        if wrapped[1 : 1 + _KEY_NAME_BYTES] == self._first:
            return None
        return self._wrap(self._unwrap(wrapped, tenant_id), tenant_id)

    def forget(self, tenant_id: UUID) -> None:
        """Drop a tenant's key from memory."""
        self._tenants.pop(tenant_id, None)

    def seal(self, plain: bytes, *, table: str, tenant_id: UUID) -> bytes:
        """Return the envelope of these bytes for one table and tenant."""
        key = self._key_of(tenant_id)
        nonce = os.urandom(_NONCE_BYTES)
        return key.prefix + nonce + key.cipher.encrypt(nonce, plain, _context(table, tenant_id))

    def open(self, sealed: bytes, *, table: str, tenant_id: UUID) -> bytes:
        """Return the bytes inside; InvariantBroken when the key is unknown or the bytes changed."""
        if sealed[:1] == _UNDER_TENANT:
            key = self._key_of(tenant_id)
            cipher = key.cipher if sealed.startswith(key.prefix) else None
        else:
            cipher = self._installation_cipher(sealed)
        if cipher is None:
            raise InvariantBroken(
                "A stored value was encrypted with a key that is not in TRACKAI_SECRET_KEY, or "
                "with a tenant's key that is gone."
            )
        return _decrypt(cipher, sealed, _context(table, tenant_id))

    def digest(self, plain: bytes, *, tenant_id: UUID) -> bytes:
        """Return a fingerprint (HMAC-SHA256) under a tenant's key, to find what is equal unread."""
        return hmac.digest(self._key_of(tenant_id).digest_key, plain, "sha256")

    def old_digest(self, plain: bytes) -> bytes:
        """Return the fingerprint that was stored before tenants had keys.

        Keyed with the installation's oldest key, as it was then.
        """
        return hmac.digest(self._digest_key, plain, "sha256")

    def derive(
        self, purpose: bytes, *, salt: bytes, named: bytes | None = None
    ) -> tuple[bytes, bytes] | None:
        """Return the name of an installation's key and a key made of it, for what is no row.

        Of the first key, or of the named one; None when that is not at hand.
        """
        root = self._roots.get(named or self._first)
        if root is None:
            return None
        made = HKDF(SHA256(), KEY_BYTES, salt, b"trackai " + purpose).derive(root)
        return named or self._first, made

    def _key_of(self, tenant_id: UUID) -> _TenantKey:
        key = self._tenants.get(tenant_id)
        if key is None:
            raise InvariantBroken(
                "The tenant's key is gone, or not wrapped by a key in TRACKAI_SECRET_KEY."
            )
        return key

    def _wrap(self, key: bytes, tenant_id: UUID) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        wrapped = self._ciphers[self._first].encrypt(nonce, key, _context(_WRAPPED, tenant_id))
        return _UNDER_INSTALLATION + self._first + nonce + wrapped

    def _unwrap(self, wrapped: bytes, tenant_id: UUID) -> bytes:
        cipher = self._installation_cipher(wrapped)
        if cipher is None:
            raise InvariantBroken("A tenant's key is wrapped by a key that is not at hand.")
        return _decrypt(cipher, wrapped, _context(_WRAPPED, tenant_id))

    def _installation_cipher(self, sealed: bytes) -> AESGCM | None:
        if sealed[:1] != _UNDER_INSTALLATION:
            return None
        return self._ciphers.get(sealed[1 : 1 + _KEY_NAME_BYTES])


def parse_keys(text: str) -> list[bytes]:
    """Read comma-separated base64 keys; ConfigurationError without the value when unreadable.

    The sign that only fills a key up may be missing: what makes passwords does not write it.
    """
    try:
        return [base64.b64decode(_filled(part.strip()), validate=True) for part in text.split(",")]
    except ValueError:
        raise ConfigurationError("TRACKAI_SECRET_KEY is not base64.") from None


def _filled(text: str) -> str:
    return text + "=" * (-len(text) % 4)


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


def _decrypt(cipher: AESGCM, sealed: bytes, context: bytes) -> bytes:
    nonce = sealed[1 + _KEY_NAME_BYTES : _HEADER_BYTES]
    try:
        return cipher.decrypt(nonce, sealed[_HEADER_BYTES:], context)
    except (InvalidTag, ValueError):  # a nonce that was cut off is a ValueError
        raise InvariantBroken("A stored value does not open: its bytes changed.") from None


def _digest_key(key: bytes) -> bytes:
    return hashlib.sha256(b"trackai digest\x00" + key).digest()


def _key_name(key: bytes) -> bytes:
    return hashlib.sha256(b"trackai key name\x00" + key).digest()[:_KEY_NAME_BYTES]


def _context(table: str, tenant_id: UUID) -> bytes:
    return table.encode() + b"\x00" + tenant_id.bytes
