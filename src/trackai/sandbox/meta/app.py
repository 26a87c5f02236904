"""The stand-in as one ASGI application, with the same controls as methods for tests."""

from trackai.model.clock import Clock
from trackai.sandbox.asgi import (
    Receive,
    Reply,
    Request,
    Scope,
    Send,
    read_request,
    send_reply,
    serve_lifespan,
)
from trackai.sandbox.meta import answers, views
from trackai.sandbox.meta.controls import Controls
from trackai.sandbox.meta.graph import Graph
from trackai.sandbox.meta.refusal import Refusal

MAX_BODY = 8 * 1024 * 1024  # bytes; a thousand rich events are 2 MB as the SDK encodes them
APP_ID = "100000000000000"
APP_SECRET = "sandbox-app-secret"  # noqa: S105 - an invented one, for debug_token and proofs

_TOO_MUCH_DATA = Refusal(-3, message="Please reduce the amount of data", status=413)


class MetaSandbox(Controls):
    """Meta's Conversions API on this machine. Nothing leaves it; everything sent can be seen."""

    def __init__(
        self,
        clock: Clock,
        *,
        keep: int = 10_000,
        max_body: int = MAX_BODY,
        app_id: str = APP_ID,
        app_secret: str = APP_SECRET,
    ) -> None:
        super().__init__(clock, keep=keep)
        self._max_body = max_body
        self._graph = Graph(self._state, self._faults, app_id=app_id, app_secret=app_secret)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
        elif scope["type"] == "http":
            request = await read_request(scope, receive, max_body=self._max_body)
            reply = answers.refused(_TOO_MUCH_DATA) if request is None else self._answer(request)
            await send_reply(reply, receive, send)

    def _answer(self, request: Request) -> Reply:
        if request.path == "/" or request.path.startswith("/sandbox"):
            return views.answer(self, request)
        return self._graph.answer(request, self._clock.now())
