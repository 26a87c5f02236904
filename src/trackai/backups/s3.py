"""A vault at Amazon S3, or at what speaks its language: s3://bucket/prefix.

Region, endpoint and credentials come from the ordinary AWS settings. A file is there with the last
call of its upload; what was begun and not ended is taken back, and no listing shows it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError
from typing_extensions import override

from trackai.aws import code_of, set_up
from trackai.backups.vaults import READ_BYTES, Kept, Vault, Write
from trackai.errors import BackupFailed

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef

SCHEME = "s3"
# S3 takes parts of 5 MiB to 5 GiB, at most 10,000: so a file may have 312 GiB.
PART_BYTES = 32 << 20
# Keys that one call deletes.
DELETED_AT_ONCE = 1000


@asynccontextmanager
async def open_s3(address: str) -> AsyncIterator["S3Vault"]:
    """Open the vault at s3://bucket/prefix for the length of a block."""
    parts = urlsplit(address)
    config = AioConfig(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 4})
    with _our_errors():
        context = get_session().create_client("s3", config=config)
        client = await context.__aenter__()
    try:
        yield S3Vault(client, parts.netloc, parts.path.strip("/"))
    finally:
        await context.__aexit__(None, None, None)


class S3Vault(Vault):
    """A bucket, below a prefix."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    @property
    @override
    def where(self) -> str:
        """Say where."""
        return f"{SCHEME}://{self._bucket}/{self._prefix}".rstrip("/")

    @asynccontextmanager
    @override
    async def writing(self, key: str) -> AsyncIterator[Write]:
        """Upload in one go, or in parts when it is large."""
        upload = _Upload(self._client, self._bucket, self._prefix + key)
        try:
            yield upload.add
            await upload.end()
        except BaseException:
            await upload.take_back()
            raise

    @override
    async def reading(self, key: str) -> AsyncGenerator[bytes, None]:
        """Read piece by piece."""
        with _our_errors():
            found = await self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
        async with found["Body"] as body:
            while True:
                with _our_errors():
                    piece = await body.read(READ_BYTES)
                if not piece:
                    return
                yield piece

    @override
    async def kept(self, prefix: str = "") -> list[Kept]:
        """List page by page."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        found = []
        with _our_errors():
            async for page in pages:
                found += [
                    Kept(
                        one["Key"].removeprefix(self._prefix),
                        one["Size"],
                        one["LastModified"].timestamp(),
                    )
                    for one in page.get("Contents", [])
                ]
        return sorted(found)

    @override
    async def remove(self, keys: Iterable[str]) -> None:
        """Delete a thousand at once."""
        named = [self._prefix + key for key in keys]
        for start in range(0, len(named), DELETED_AT_ONCE):
            some = named[start : start + DELETED_AT_ONCE]
            with _our_errors():
                done = await self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": one} for one in some]}
                )
            if done.get("Errors"):
                code = done["Errors"][0].get("Code", "unknown")
                raise BackupFailed(f"Amazon S3 did not delete every file ({code}).")


class _Upload:
    """One file on its way."""

    def __init__(self, client: "S3Client", bucket: str, key: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._waiting = bytearray()
        self._id: str | None = None
        self._parts: list[CompletedPartTypeDef] = []

    async def add(self, data: bytes) -> None:
        """Take bytes in; send a part when there is one."""
        self._waiting += data
        while len(self._waiting) >= PART_BYTES:
            part = bytes(self._waiting[:PART_BYTES])
            del self._waiting[:PART_BYTES]
            await self._send(part)

    async def end(self) -> None:
        """Send the rest; then the file is there."""
        rest = bytes(self._waiting)
        if self._id is None:
            with _our_errors():
                await self._client.put_object(Bucket=self._bucket, Key=self._key, Body=rest)
            return
        if rest:
            await self._send(rest)
        with _our_errors():
            await self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._id,
                MultipartUpload={"Parts": self._parts},
            )

    async def take_back(self) -> None:
        """Drop the parts that were sent."""
        if self._id is not None:
            with suppress(BotoCoreError, ClientError, OSError):
                await self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=self._key, UploadId=self._id
                )

    async def _send(self, part: bytes) -> None:
        number = len(self._parts) + 1
        with _our_errors():
            if self._id is None:
                begun = await self._client.create_multipart_upload(
                    Bucket=self._bucket, Key=self._key
                )
                self._id = begun["UploadId"]
            sent = await self._client.upload_part(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._id,
                PartNumber=number,
                Body=part,
            )
        self._parts.append({"ETag": sent["ETag"], "PartNumber": number})


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        with set_up("Amazon S3"):
            yield
    except ClientError as error:
        code = code_of(error)
        raise BackupFailed(
            f"Amazon S3 refused ({code}). See that the bucket of TRACKAI_BACKUP_TO is there, and "
            "that this login may list, read, write and delete in it."
        ) from error
    except (BotoCoreError, OSError, TimeoutError) as error:
        raise BackupFailed(f"Amazon S3 cannot be reached ({type(error).__name__}).") from error
