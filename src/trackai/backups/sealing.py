"""Sealed streams: AES-256-GCM in chunks of a mebibyte, so that nothing large is in memory.

A stream is a header (which of the installation's keys, a random salt) and chunks. Each has a key of
its own, made of the installation's key, the salt and the stream's name; a chunk's nonce is its
number and whether it is the last (the construction STREAM of Hoang, Reyhanitabar, Rogaway and
Vizar, 2015). So a stream that is cut off, turned around, renamed or changed in one bit does not
open.
"""

import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trackai.errors import BackupDamaged
from trackai.storage.envelope import Envelope

MAGIC = b"trackai\x01"
CHUNK_BYTES = 1 << 20
_TAG_BYTES = 16
_SALT_BYTES = 32
_KEY_NAME_BYTES = 4
HEADER_BYTES = len(MAGIC) + _KEY_NAME_BYTES + _SALT_BYTES
_PURPOSE = b"backup stream\x00"


@dataclass(slots=True)
class _Chunks:
    """A cipher, and how many chunks it has seen."""

    cipher: AESGCM
    header: bytes
    number: int = 0

    def nonce(self, *, last: bool) -> bytes:
        made = self.number.to_bytes(11, "big") + bytes([last])
        self.number += 1
        return made


class Sealing:
    """Seals one stream: `header`, then what `add` returns, then what `end` returns."""

    def __init__(self, envelope: Envelope, name: str, *, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._size = chunk_bytes
        salt = os.urandom(_SALT_BYTES)
        derived = envelope.derive(_PURPOSE + name.encode(), salt=salt)
        if derived is None:
            raise BackupDamaged("There is no key to seal with.")
        key_name, key = derived
        self.header = MAGIC + key_name + salt
        self._chunks = _Chunks(AESGCM(key), self.header)
        self._waiting = bytearray()

    def add(self, plain: bytes) -> bytes:
        """Take bytes in, and return the chunks that are whole, but for the last: `end` does."""
        self._waiting += plain
        sealed = []
        while len(self._waiting) > self._size:
            sealed.append(self._seal(bytes(self._waiting[: self._size]), last=False))
            del self._waiting[: self._size]
        return b"".join(sealed)

    def end(self) -> bytes:
        """Return the last chunk."""
        return self._seal(bytes(self._waiting), last=True)

    def _seal(self, plain: bytes, *, last: bool) -> bytes:
        nonce = self._chunks.nonce(last=last)
        return self._chunks.cipher.encrypt(nonce, plain, self._chunks.header)


class Opening:
    """Opens one stream as it comes; BackupDamaged as soon as it is not what was sealed."""

    def __init__(self, envelope: Envelope, name: str, *, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._size = chunk_bytes + _TAG_BYTES
        self._envelope = envelope
        self._name = name
        self._chunks: _Chunks | None = None
        self._waiting = bytearray()

    def add(self, sealed: bytes) -> bytes:
        """Take bytes in, and return what has been proved of them."""
        self._waiting += sealed
        if self._chunks is None:
            if len(self._waiting) < HEADER_BYTES:
                return b""
            self._chunks = self._begin(bytes(self._waiting[:HEADER_BYTES]))
            del self._waiting[:HEADER_BYTES]
        plain = []
        while len(self._waiting) > self._size:
            plain.append(self._open(self._chunks, bytes(self._waiting[: self._size]), last=False))
            del self._waiting[: self._size]
        return b"".join(plain)

    def end(self) -> bytes:
        """Return the rest; BackupDamaged when this is not the end."""
        if self._chunks is None:
            raise BackupDamaged(f"{self._name} is cut off: not even its header is whole.")
        return self._open(self._chunks, bytes(self._waiting), last=True)

    def _begin(self, header: bytes) -> _Chunks:
        if not header.startswith(MAGIC):
            raise BackupDamaged(f"{self._name} is no backup of this program, or its start changed.")
        named = header[len(MAGIC) : len(MAGIC) + _KEY_NAME_BYTES]
        salt = header[len(MAGIC) + _KEY_NAME_BYTES :]
        derived = self._envelope.derive(_PURPOSE + self._name.encode(), salt=salt, named=named)
        if derived is None:
            raise BackupDamaged(
                f"{self._name} was sealed with a key that is not in TRACKAI_SECRET_KEY. Set the "
                "key that the installation had then, beside or in place of this one."
            )
        return _Chunks(AESGCM(derived[1]), header)

    def _open(self, chunks: _Chunks, sealed: bytes, *, last: bool) -> bytes:
        number = chunks.number
        try:
            return chunks.cipher.decrypt(chunks.nonce(last=last), sealed, chunks.header)
        except (InvalidTag, ValueError):  # what is shorter than a tag is a ValueError
            raise BackupDamaged(
                f"{self._name} is damaged: its mebibyte {number + 1} is not what was written. Take "
                "another backup."
            ) from None
