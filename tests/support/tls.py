"""Certificates of nobody's, and a door that speaks TLS in front of a server that does not."""

import asyncio
import contextlib
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_CHUNK = 65536


def make_certificate(directory: Path) -> ssl.SSLContext:
    """Return a server's context with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test.example")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    file = directory / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


class Door:
    """One TLS port in front of another; closed, it turns all away, as a dead network does."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_open = True

    @asynccontextmanager
    async def listening(self, context: ssl.SSLContext, port: int) -> AsyncIterator[None]:
        """Listen on a port of the loopback for the length of a block."""
        server = await asyncio.start_server(
            self._serve, "127.0.0.1", port, ssl=context, reuse_address=True
        )
        try:
            yield
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, ssl.SSLError, asyncio.CancelledError):
            if not self.is_open:
                writer.transport.abort()
                return
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                await asyncio.gather(
                    self._pour(reader, inner_writer), self._pour(inner_reader, writer)
                )
            finally:
                inner_writer.transport.abort()
                writer.transport.abort()

    async def _pour(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if not self.is_open:
                writer.transport.abort()
                return
            writer.write(data)
            await writer.drain()
        writer.transport.abort()
