"""A database's contents out and in: pg_dump and pg_restore, streamed; no file lies in between.

The wheel's own programs cannot speak TLS; a system's can, and are taken first for a server that is
elsewhere. What they say is cut to its first line: what follows may quote rows.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import asyncpg

from trackai.errors import BackupFailed, ConfigurationError
from trackai.storage.binaries import ENVIRONMENT, client_programs
from trackai.storage.schema import connected

# Takes bytes in, in order.
Write = Callable[[bytes], Awaitable[None]]

# What is read from a program at once.
PIECE_BYTES = 1 << 20
# Compressed once, by the program; what is sealed does not get smaller.
DUMP_OPTIONS = (
    *("--format=custom", "--compress=gzip:3", "--no-owner", "--enable-row-security"),
    *("--lock-wait-timeout=10s", "--no-password"),
)
RESTORE_OPTIONS = (
    *("--format=custom", "--no-owner", "--exit-on-error", "--single-transaction", "--no-password"),
)
# A row's values may stand behind these in what a program says.
_QUOTES = re.compile(r"(ERROR: .*?)[:\"(].*|(COPY failed for table \"[a-z_0-9]+\").*")
_SAID_CHARACTERS = 300
# How long a program that is told to end may take.
_END_S = 10.0

# Whether anything is in a database.
FIND_RELATION = """
select exists (select from pg_class where relnamespace = 'public'::regnamespace) as known
"""
# A role that grants of a schema name; whoever restores becomes a member, as migrations do it.
MAKE_ROLE = """
do $$ begin
  if not exists (select from pg_roles where rolname = '{role}') then
    create role {role} nologin;
  end if;
exception when duplicate_object or unique_violation then null;
end $$;
do $$ begin
  grant {role} to current_user;
exception when insufficient_privilege then
  if not pg_has_role(current_user, '{role}', 'member') then raise; end if;
end $$;
"""
_ROLE = re.compile(r"trackai_[a-z_]+")


async def dump(url: str, *, snapshot: str, major: int, write: Write) -> None:
    """Write out everything of a database as it is at a snapshot that is held meanwhile."""
    where, environment = login_of(url)
    command = [_program(url, "pg_dump", major), *DUMP_OPTIONS, f"--snapshot={snapshot}", where]
    async with running(command, environment) as process:
        if process.stdout is None:
            raise BackupFailed("pg_dump has no output.")
        while piece := await process.stdout.read(PIECE_BYTES):
            await write(piece)


async def fill(url: str, pieces: AsyncIterator[bytes], *, major: int) -> None:
    """Bring a dump into an empty database: everything, or nothing."""
    where, environment = login_of(url)
    command = [_program(url, "pg_restore", major), *RESTORE_OPTIONS, f"--dbname={where}"]
    async with running(command, environment) as process:
        if process.stdin is None:
            raise BackupFailed("pg_restore takes no input.")
        try:
            async for piece in pieces:
                process.stdin.write(piece)
                await process.stdin.drain()
            process.stdin.close()
            await process.stdin.wait_closed()
        except (BrokenPipeError, ConnectionResetError):
            pass  # it ended before we did; its exit status says why


async def is_empty(url: str) -> bool:
    """Say whether a database has no tables, views or sequences."""
    async with connected(url) as connection:
        return not await connection.fetchval(FIND_RELATION)


async def make_roles(url: str, roles: Sequence[str]) -> None:
    """Make the roles that a dump's grants name, where the server lacks them."""
    async with connected(url) as connection:
        for role in roles:
            if not _ROLE.fullmatch(role):
                raise BackupFailed("The backup names a role that is none of ours.")
            try:
                await connection.execute(MAKE_ROLE.format(role=role))
            except asyncpg.InsufficientPrivilegeError as error:
                raise ConfigurationError(
                    "The login of the database may not make roles: give it CREATEROLE, and let it "
                    "own the database."
                ) from error


async def server_major(url: str) -> int:
    """Return the server's major version."""
    async with connected(url) as connection:
        return connection.get_server_version().major


def _program(url: str, name: str, major: int) -> str:
    local = urlsplit(url).hostname is None
    return str(client_programs(name, major, bundled_first=local))


@asynccontextmanager
async def running(
    command: Sequence[str], environment: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program for the length of a block; BackupFailed with its first words when it fails."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        limit=PIECE_BYTES,
        start_new_session=True,
    )
    said = asyncio.create_task(_listen(process))
    try:
        yield process
        code, words = await process.wait(), await said
    finally:
        await _end(process)
        said.cancel()
    if code != 0:
        name = Path(command[0]).name
        raise BackupFailed(f"{name} ended with {code}. {first_words(words)}")


async def _listen(process: asyncio.subprocess.Process) -> str:
    """Return what a program says, its beginning; the rest is read and dropped."""
    if process.stderr is None:
        return ""
    kept = b""
    while piece := await process.stderr.read(PIECE_BYTES):
        kept = (kept + piece)[:PIECE_BYTES]
    return kept.decode(errors="replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), timeout=_END_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def first_words(said: str) -> str:
    """Return the first error that a program names, without values of rows."""
    lines = [line for line in said.splitlines() if "error:" in line.lower()]
    if not lines:
        return ""
    return _QUOTES.sub(lambda found: found[1] or found[2], lines[0])[:_SAID_CHARACTERS]


def login_of(url: str) -> tuple[str, dict[str, str]]:
    """Return an address without its password, and an environment with it: arguments are public."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query)
    secret = next((value for name, value in query if name == "password"), None)
    password = unquote(parts.password) if parts.password else secret
    user = f"{quote(unquote(parts.username), safe='')}@" if parts.username else ""
    host = parts.netloc.rpartition("@")[2]
    rest = urlencode([one for one in query if one[0] != "password"], safe="/")
    environment = ENVIRONMENT | {"PGAPPNAME": "trackai backup", "PGCONNECT_TIMEOUT": "15"}
    if password:
        environment["PGPASSWORD"] = password
    return urlunsplit(("postgresql", user + host, parts.path, rest, "")), environment
