"""Fetching a page whose address anybody may have written: real HTTP, and what must not be reached.

The loopback is not of the public web, so a test that means it to be reached says so.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.support.program import PATIENCE_S

from trackai.sandbox.asgi import Receive, Reply, Request, Scope, Send, read_request, send_reply
from trackai.tracker import public_web
from trackai.tracker.public_web import WHOLE_S, Address, NoPage, PublicWeb, Resolve, resolve

if TYPE_CHECKING:
    from tests.conftest import Serve

HTML = "text/html; charset=utf-8"


@dataclass
class Site:
    """Answers as it is told, and remembers who asked."""

    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = await read_request(scope, receive, max_body=1000)
        assert request is not None
        self.asked.append(request)
        reply = self.replies.get(request.path, Reply(404, b"<p>No</p>", content_type=HTML))
        await send_reply(reply, receive, send)

    def put(self, path: str, body: str = "<p>Café</p>", status: int = 200, **headers: str) -> None:
        """Answer this at a path."""
        kind = headers.pop("kind", HTML)
        self.replies[path] = Reply(status, body.encode(), content_type=kind, headers=headers)


class Names:
    """A look-up that knows some names, and counts what is asked."""

    def __init__(self, **known: Sequence[str]) -> None:
        self.known = {name.replace("_", "."): found for name, found in known.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.known[host] if host in self.known else await resolve(host, port)


def loopback_too(address: Address) -> bool:
    return public_web.is_public(address) or address == ipaddress.ip_address("127.0.0.1")


def near(find: Resolve = resolve, *, whole_s: float = WHOLE_S) -> PublicWeb:
    """Return what reaches the test's own site as if it were public."""
    return PublicWeb(find=find, allowed=loopback_too, any_port=True, whole_s=whole_s)


@pytest.fixture
async def site(serve: "Serve") -> tuple[Site, str]:
    made = Site()
    return made, await serve(made)


async def test_a_page_is_fetched_with_nothing_of_ours(site: tuple[Site, str]) -> None:
    made, url = site
    made.put("/curso")
    found = await near().fetch(f" {url}/curso?x=1 ")
    (request,) = made.asked

    assert found == "<p>Café</p>"
    assert {"cookie", "authorization", "referer"}.isdisjoint(request.headers)
    assert request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]"),
        *("[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "[fd00:ec2::254]", "0"),
        "１２７.0.0.1",  # noqa: RUF001 - digits that are read as such
    ],
)
async def test_a_private_address_is_not_asked_however_it_is_written(
    site: tuple[Site, str], host: str
) -> None:
    made, url = site
    made.put("/")
    port = url.rpartition(":")[2]
    found = await PublicWeb(any_port=True).fetch(f"http://{host}:{port}/")

    assert found in {NoPage.NOT_PUBLIC, NoPage.NO_ADDRESS, NoPage.NO_HOST}
    assert made.asked == []


async def test_a_name_with_one_private_address_among_others_is_not_asked(
    site: tuple[Site, str],
) -> None:
    made, url = site
    find = Names(two_example_com=["8.8.8.8", "127.0.0.1"])
    found = await PublicWeb(find=find, any_port=True).fetch(
        url.replace("127.0.0.1", "two.example.com")
    )

    assert (found, made.asked) == (NoPage.NOT_PUBLIC, [])


async def test_a_name_is_looked_up_once_and_the_connection_goes_there(
    site: tuple[Site, str],
) -> None:
    made, url = site
    made.put("/")
    find = Names(shop_example_com=["127.0.0.1"])
    found = await near(find).fetch(url.replace("127.0.0.1", "shop.example.com") + "/")

    assert found == "<p>Café</p>"
    assert find.asked == ["shop.example.com"]
    assert made.asked[0].headers["host"].startswith("shop.example.com:")


async def test_a_redirect_is_judged_as_the_first_address_was(site: tuple[Site, str]) -> None:
    made, url = site
    made.put("/", status=302, location="/there")
    made.put("/there", "<p>Here</p>")
    made.put("/inside", status=302, location="http://169.254.169.254/latest/meta-data/")
    made.put("/broken", status=302, location="http://[x")
    made.put("/file", status=302, location="file:///etc/passwd")
    made.put("/round", status=302, location="/round")
    found = [
        await near().fetch(url + path) for path in ("/", "/inside", "/broken", "/file", "/round")
    ]

    assert found == [
        *("<p>Here</p>", NoPage.NOT_PUBLIC, NoPage.NOT_REACHED),
        *(NoPage.NO_ADDRESS, NoPage.TOO_MANY_REDIRECTS),
    ]
    assert len(made.asked) == 2 + 1 + 1 + 1 + 4


@pytest.mark.parametrize(
    "address",
    [
        *("", "cafe", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)"),
        *("http://", "http:///x", "http://ana:senha@example.com/", "http://ana@example.com/"),
        *("http://example.com:22/", "http://example.com:8400/", "http://example.com:x/"),
        *("http://example.com\\@127.0.0.1/", "http://exa\nmple.com/", "http://[::1/"),
        "http://example.com/" + "x" * 3000,
    ],
)
async def test_what_is_no_address_of_a_page_is_not_asked(address: str) -> None:
    find = Names()
    found = await PublicWeb(find=find).fetch(address)

    assert (found, find.asked) == (NoPage.NO_ADDRESS, [])


async def test_a_name_that_leads_nowhere() -> None:
    find = Names(no_example_com=[])
    # Whoever is asked about names may take their time.
    found = [
        await PublicWeb(find=find, whole_s=PATIENCE_S).fetch(f"https://{one}/")
        for one in ("no.example.com", "nothing.invalid", "a..b", "x" * 70 + ".com")
    ]

    assert set(found) <= {NoPage.NO_HOST, NoPage.NO_ADDRESS}


async def test_what_is_no_page_is_said(site: tuple[Site, str]) -> None:
    made, url = site
    made.put("/data", "{}", kind="application/json")
    made.replies["/small"] = Reply(
        200, b"x", content_type=HTML, headers={"content-encoding": "gzip"}
    )
    found = [await near().fetch(url + path) for path in ("/none", "/data", "/small")]

    assert found == [NoPage.NO_HTML] * 3


async def test_a_page_without_end_is_read_to_the_bound(
    site: tuple[Site, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_web, "MOST_BYTES", 1000)
    made, url = site
    made.put("/", "x" * 100_000)

    assert await near().fetch(url + "/") == "x" * 1000


async def test_a_page_that_does_not_come_is_waited_for_so_long(site: tuple[Site, str]) -> None:
    made, url = site
    made.replies["/"] = Reply(200, b"late", content_type=HTML, stall_s=60)

    assert await near(whole_s=0.3).fetch(url + "/") is NoPage.TOO_SLOW


async def test_a_connection_that_breaks_is_said(site: tuple[Site, str]) -> None:
    made, url = site
    made.replies["/"] = Reply(200, cut=True)

    assert await near().fetch(url + "/") is NoPage.NOT_REACHED
    assert await near().fetch(url.replace("http://", "https://")) is NoPage.NOT_REACHED
