"""What a browser holds that comes in, and where it goes on to."""

from urllib.parse import quote, urlsplit

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from trackai.accounts.entries import HALF_FOR, Entry
from trackai.accounts.signing_in import LONGEST
from trackai.dashboard.agents import agent_of
from trackai.dashboard.visiting import COOKIE, HALF_COOKIE, tools_of
from trackai.storage.users import User

CODE_PAGE = "/sign-in/code"


def let_in(entry: Entry, following: str) -> Response:
    """Lead to where somebody wanted to go, or to the page that asks for their code."""
    if entry.half:
        answer = RedirectResponse(f"{CODE_PAGE}?next={quote(following)}", status_code=303)
        _hold(answer, HALF_COOKIE, entry.token, int(HALF_FOR.total_seconds()))
        return answer
    answer = RedirectResponse(following, status_code=303)
    _hold(answer, COOKIE, entry.token, int(LONGEST.total_seconds()))
    return answer


async def enter(request: Request, user: User) -> Response:
    """Let somebody in who has just joined or set a password."""
    entry = await tools_of(request).signing_in.enter(user, agent=agent_in(request))
    return let_in(entry, "/")


def agent_in(request: Request) -> str:
    """Return the browser that asks, as people call it."""
    return agent_of(request.headers.get("user-agent", ""))


def drop(answer: Response, name: str) -> None:
    """Let a browser hold a cookie no more."""
    answer.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")


def own_path(asked: str) -> str:
    """Return a path of this site: a link must not lead through here to another one."""
    parts = urlsplit(asked)
    own = asked.startswith("/") and not asked.startswith(("//", "/\\"))
    return asked if own and not parts.scheme and not parts.netloc else "/"


def _hold(answer: Response, name: str, token: str, seconds: int) -> None:
    answer.set_cookie(
        name, token, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax"
    )
