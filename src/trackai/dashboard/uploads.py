"""Bodies of forms: small ones from anybody, a file only from somebody who is signed in."""

from starlette.requests import Request

from trackai.accounts.signing_in import SigningIn
from trackai.dashboard.ad_spend import MOST_FILE_BYTES, PATH
from trackai.dashboard.error_pages import error_answer
from trackai.dashboard.visiting import COOKIE
from trackai.errors import TrackaiError
from trackai.ingest.wire import AsgiApp, Bounded, Receive, Scope, Send

# Longest form; it is read before it is known who sends it.
MOST_BODY_BYTES = 64 * 1024
# What is around a file in its form.
_AROUND_BYTES = 16 * 1024


class Forms:
    """The pages behind what reads their bodies whole, up to a bound."""

    def __init__(self, app: AsgiApp, signing_in: SigningIn) -> None:
        self._small = Bounded(app, MOST_BODY_BYTES, told=error_answer)
        self._large = Bounded(app, MOST_FILE_BYTES + _AROUND_BYTES, told=error_answer)
        self._signing_in = signing_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        brings_file = scope["type"] == "http" and scope["path"] == PATH
        try:
            known = brings_file and await self._knows(scope)
        except TrackaiError as error:
            await error_answer(scope, error).send(send)
            return
        await (self._large if known else self._small)(scope, receive, send)

    async def _knows(self, scope: Scope) -> bool:
        """Return whether a browser belongs to somebody, before anything it sends is read."""
        token = Request(scope).cookies.get(COOKIE, "")
        return await self._signing_in.recognize(token) is not None
