"""GET /metrics: the counters of this process as Prometheus reads them.

For a port of its own, which only the inside reaches: what is counted is nobody else's business.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from trackai.telemetry.metrics import REGISTRY

PATH = "/metrics"

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class Exposition:
    """Answers one address; everything else is 404."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry

    async def __call__(self, scope: _Message, _receive: _Receive, send: _Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            return
        found = scope["path"] == PATH and scope["method"] in {"GET", "HEAD"}
        body = generate_latest(self._registry) if found else b""
        headers = [
            (b"content-type", CONTENT_TYPE_LATEST.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        status = 200 if found else 404
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body if _has_body(scope) else b""})


def _has_body(scope: _Message) -> bool:
    return bool(scope["method"] != "HEAD")
