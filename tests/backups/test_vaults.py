"""Files in a vault are there whole or not at all, in a directory and at Amazon S3."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiobotocore.session import get_session

from trackai.backups import s3
from trackai.backups.opening import open_vault
from trackai.backups.vaults import Vault
from trackai.errors import BackupFailed, ConfigurationError
from trackai.model.clock import new_id

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client


@pytest.fixture
async def bucket(amazon: dict[str, str]) -> AsyncIterator[tuple["S3Client", str]]:
    """Yield a client and a bucket at the stand-in for Amazon S3."""
    assert amazon
    async with get_session().create_client("s3") as client:
        name = f"b-{new_id()}"
        await client.create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": "sa-east-1"}
        )
        yield client, name


@pytest.fixture(params=["directory", "s3", "s3 with a prefix"])
async def vault(
    request: pytest.FixtureRequest, tmp_path: Path, bucket: tuple["S3Client", str]
) -> AsyncIterator[Vault]:
    address = {
        "directory": str(tmp_path / "vault"),
        "s3": f"s3://{bucket[1]}",
        "s3 with a prefix": f"s3://{bucket[1]}/track/ai/",
    }[request.param]
    async with open_vault(address) as opened:
        yield opened


async def write(vault: Vault, key: str, *pieces: bytes) -> None:
    async with vault.writing(key) as add:
        for piece in pieces:
            await add(piece)


async def stopped(vault: Vault, key: str) -> None:
    """Begin to write a file, and fail."""
    async with vault.writing(key) as add:
        await add(b"x" * s3.PART_BYTES)
        raise RuntimeError


async def read(vault: Vault, key: str) -> bytes:
    return b"".join([piece async for piece in vault.reading(key)])


async def keys(vault: Vault, prefix: str = "") -> list[str]:
    return [one.key for one in await vault.kept(prefix)]


async def test_what_is_written_is_read(vault: Vault) -> None:
    await write(vault, "a/rows", b"one", b"two")
    await write(vault, "a/empty")

    assert b"onetwo" == await read(vault, "a/rows")
    assert b"" == await read(vault, "a/empty")


async def test_files_are_listed_by_key_with_their_sizes(vault: Vault) -> None:
    for key in ("b/rows", "a/rows", "wal/7/1", "a/manifest"):
        await write(vault, key, key.encode())

    assert ["a/manifest", "a/rows", "b/rows", "wal/7/1"] == await keys(vault)
    assert ["a/manifest", "a/rows"] == await keys(vault, "a/")
    assert {one.bytes for one in await vault.kept("wal/")} == {len("wal/7/1")}


async def test_an_empty_vault_lists_nothing(vault: Vault) -> None:
    assert [] == await keys(vault)


async def test_what_is_written_again_takes_the_place_of_the_first(vault: Vault) -> None:
    await write(vault, "a", b"first, and longer")
    await write(vault, "a", b"second")

    assert b"second" == await read(vault, "a")


async def test_what_was_stopped_in_the_middle_is_not_there(vault: Vault) -> None:
    await write(vault, "a", b"before")

    with pytest.raises(RuntimeError):
        await stopped(vault, "a")

    assert ["a"] == await keys(vault)
    assert b"before" == await read(vault, "a")


async def test_what_was_cancelled_is_not_there(vault: Vault) -> None:
    begun = asyncio.Event()

    async def slowly() -> None:
        async with vault.writing("a") as add:
            await add(b"x" * s3.PART_BYTES)
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(slowly())
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert [] == await keys(vault)


async def test_what_is_removed_is_gone_and_may_be_removed_again(vault: Vault) -> None:
    for key in ("a/rows", "a/manifest", "b/rows"):
        await write(vault, key, b"x")

    await vault.remove(["a/rows", "a/manifest"])
    await vault.remove(["a/rows"])

    assert ["b/rows"] == await keys(vault)


async def test_what_is_not_there_cannot_be_read(vault: Vault) -> None:
    with pytest.raises(BackupFailed):
        await read(vault, "a")


async def test_a_large_file_goes_up_in_parts(
    bucket: tuple["S3Client", str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, name = bucket
    monkeypatch.setattr(s3, "PART_BYTES", 5 << 20)
    content = bytes(range(256)) * (11 * 4096)
    async with open_vault(f"s3://{name}") as vault:
        await write(vault, "a", content[: 7 << 20], content[7 << 20 :])

        assert content == await read(vault, "a")
    found = await client.head_object(Bucket=name, Key="a")
    assert found["ETag"].strip('"').endswith("-3")


async def test_parts_of_what_was_stopped_are_taken_back(bucket: tuple["S3Client", str]) -> None:
    client, name = bucket
    async with open_vault(f"s3://{name}") as vault:
        with pytest.raises(RuntimeError):
            await stopped(vault, "a")

    assert "Uploads" not in await client.list_multipart_uploads(Bucket=name)


async def test_a_bucket_that_is_not_there_is_named(amazon: dict[str, str]) -> None:
    assert amazon
    async with open_vault(f"s3://b-{new_id()}") as vault:
        with pytest.raises(BackupFailed, match="TRACKAI_BACKUP_TO"):
            await vault.kept()


async def test_without_credentials_the_sentence_says_what_to_set(
    amazon: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert amazon
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    async with open_vault("s3://bucket") as vault:
        with pytest.raises(ConfigurationError, match="AWS_ACCESS_KEY_ID"):
            await vault.kept()


async def test_others_on_the_machine_read_nothing(tmp_path: Path) -> None:
    async with open_vault(str(tmp_path / "deep" / "vault")) as vault:
        await write(vault, "a/rows", b"x")

    made = [tmp_path / "deep/vault", tmp_path / "deep/vault/a", tmp_path / "deep/vault/a/rows"]
    assert [0o700, 0o700, 0o600] == [stat.S_IMODE(one.stat().st_mode) for one in made]


async def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    async with open_vault(str(tmp_path / "file" / "vault")) as vault:
        with pytest.raises(BackupFailed, match="file"):
            await write(vault, "a", b"x")
