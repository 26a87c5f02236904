"""Answers that may take minutes: a stream that begins before there is anything to say.

What stands between browser and server hangs up on a silence of a minute or so. Until the answer is
there blank lines are sent, which mean nothing before a page, and nothing before JSON.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping

from fastapi import Response
from fastapi.responses import StreamingResponse

# An answer that is ready by then is an ordinary one; later ones are kept alive so often.
SOON_S, BEAT_S = 5.0, 10.0


async def slowly(work: Coroutine[object, object, Response], headers: Mapping[str, str]) -> Response:
    """Return what the work returns or, with these headers, a stream of its body.

    A stream breaks off where the work fails. Who goes away ends the work.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task], timeout=SOON_S)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if task.done():
        return task.result()
    # Compressed, a blank line would wait for more.
    return StreamingResponse(_waiting(task), headers={**headers, "content-encoding": "identity"})


async def _waiting(task: asyncio.Task[Response]) -> AsyncIterator[bytes]:
    try:
        while not task.done():
            yield b"\n"
            await asyncio.wait([task], timeout=BEAT_S)
        yield bytes(task.result().body)
    finally:
        task.cancel()
