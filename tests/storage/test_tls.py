"""A database over TLS: who it is, is asked where its address says so."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from tests.support.proxy import database_proxy

from trackai.cli.rehearsal.tls import HOST, Papers, make_papers
from trackai.errors import ConfigurationError
from trackai.model.clock import SystemClock
from trackai.storage.pool import Database, Role

# What a client sends first, and the answer (PostgreSQL's manual, "SSL Session Encryption").
ASKS, AGREED = 8, b"S"


@asynccontextmanager
async def tls_server(url: str, papers: Papers) -> AsyncIterator[int]:
    """Speak TLS as PostgreSQL does, before the server of an address; yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers.server)

    async def agree(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(ASKS)
        writer.write(AGREED)
        await writer.start_tls(context)

    line = database_proxy(url, greet=agree)
    async with line.listening():
        yield line.port


def address(url: str, host: str, port: int, authority: Path) -> str:
    parts = urlsplit(url)
    proof = f"sslmode=verify-full&sslrootcert={quote(str(authority))}"
    return f"postgresql://{parts.username}@{host}:{port}{parts.path}?{proof}"


def papers_in(directory: Path) -> Papers:
    directory.mkdir()
    return make_papers(directory, SystemClock().now())


async def test_a_server_that_is_vouched_for_is_spoken_to(database_url: str, tmp_path: Path) -> None:
    papers = papers_in(tmp_path / "ours")
    async with tls_server(database_url, papers) as port:
        url = address(database_url, HOST, port, papers.authority)
        async with Database.opened(url, Role.APP, size=1) as database, database.transaction() as tx:
            (row,) = await tx.fetch("select 1 as one")

    assert row["one"] == 1


@pytest.mark.parametrize(("host", "vouches"), [(HOST, "others"), ("127.0.0.1", "ours")])
async def test_a_strangers_server_is_refused(
    database_url: str, tmp_path: Path, host: str, vouches: str
) -> None:
    papers = {name: papers_in(tmp_path / name) for name in ("ours", "others")}
    async with tls_server(database_url, papers["ours"]) as port:
        authority = papers[vouches].authority
        with pytest.raises(ConfigurationError, match="vouches for the server's certificate"):
            await Database.connect(address(database_url, host, port, authority), Role.APP, size=1)


async def test_an_authority_that_is_not_there_is_said(database_url: str, tmp_path: Path) -> None:
    papers = papers_in(tmp_path / "ours")
    async with tls_server(database_url, papers) as port:
        url = address(database_url, HOST, port, tmp_path / "nobody.pem")
        with pytest.raises(ConfigurationError, match="sslrootcert"):
            await Database.connect(url, Role.APP, size=1)
