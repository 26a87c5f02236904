"""Firefox and WebKit (Safari's engine) driven by the W3C's own protocols: BiDi and WebDriver.

Playwright drives only builds of its own of these two; these are Debian's.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from tests.support.ports import kept_port

START_S = 60.0
STEP_S = 30.0
POLL_S = 0.05
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element in both protocols
WEBKIT_PAGES = "*/webkit2gtk-4*/MiniBrowser"


class Engine(Protocol):
    """A browser with one page."""

    async def open(self, url: str) -> None:
        """Go to an address and wait until it is loaded."""

    async def run(self, expression: str) -> Any:
        """Return what an expression gives in the page, as JSON can say it."""

    async def click(self, selector: str) -> None:
        """Click an element as a hand does, with all events before the click."""


def missing(name: str) -> str | None:
    """Return the Debian package to install for an engine, or None when it is there."""
    if name == "firefox":
        return None if shutil.which("firefox-esr") else "firefox-esr"
    there = shutil.which("WebKitWebDriver") and _webkit_pages() and shutil.which("Xvfb")
    return None if there else "webkit2gtk-driver xvfb"


def _webkit_pages() -> list[str]:
    return [str(path) for path in Path("/usr/lib").glob(WEBKIT_PAGES)]


@asynccontextmanager
async def started(name: str, home: Path, proxy_port: int) -> AsyncIterator[Engine]:
    """Start an engine whose every host is behind a proxy on the loopback."""
    opened = firefox if name == "firefox" else webkit
    async with opened(home, proxy_port) as engine:
        yield engine


@asynccontextmanager
async def firefox(home: Path, proxy_port: int) -> AsyncIterator[Engine]:
    command = ["firefox-esr", "--headless", "--no-remote", "--profile", str(home)]
    told = home / "WebDriverBiDiServer.json"
    async with AsyncExitStack() as stack:
        stack.enter_context(_process([*command, "--remote-debugging-port", "0", "about:blank"]))
        await _until(lambda: _has_told(told))
        where = json.loads(told.read_text())
        session = await stack.enter_async_context(aiohttp.ClientSession())
        address = f"ws://{where['ws_host']}:{where['ws_port']}/session"
        socket = await stack.enter_async_context(session.ws_connect(address))
        browser = _BiDi(socket)
        proxy = {"proxyType": "manual", "sslProxy": f"127.0.0.1:{proxy_port}"}
        wanted = {"acceptInsecureCerts": True, "proxy": proxy}
        await browser.say("session.new", capabilities={"alwaysMatch": wanted})
        tree = await browser.say("browsingContext.getTree")
        browser.page = tree["contexts"][0]["context"]
        yield browser


class _BiDi:
    """WebDriver BiDi over one socket (https://w3c.github.io/webdriver-bidi/)."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.page = ""

    async def say(self, method: str, **params: Any) -> Any:
        """Give one command and return its result; events in between are of no interest."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            answer = await self._socket.receive_json(timeout=STEP_S)
            if answer.get("id") == self._number:
                assert answer["type"] == "success", answer
                return answer["result"]

    async def open(self, url: str) -> None:
        await self.say("browsingContext.navigate", context=self.page, url=url, wait="complete")

    async def run(self, expression: str) -> Any:
        text = f"(async () => JSON.stringify(await ({expression})))()"
        answer = await self.say(
            "script.evaluate", expression=text, target={"context": self.page}, awaitPromise=True
        )
        assert answer["type"] == "success", answer
        return json.loads(answer["result"].get("value", "null"))

    async def click(self, selector: str) -> None:
        found = await self.say(
            "browsingContext.locateNodes",
            context=self.page,
            locator={"type": "css", "value": selector},
        )
        origin = {"type": "element", "element": {"sharedId": found["nodes"][0]["sharedId"]}}
        await self.say("input.performActions", context=self.page, actions=_press(origin))


@asynccontextmanager
async def webkit(home: Path, proxy_port: int) -> AsyncIterator[Engine]:
    async with AsyncExitStack() as stack:
        display = stack.enter_context(_display(home))
        # Its own sandbox needs rights that containers lack; it sees nothing but these tests' pages.
        env = [f"DISPLAY={display}", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1"]
        port = stack.enter_context(kept_port())
        command = ["env", *env, "WebKitWebDriver", f"--port={port}", "--host=127.0.0.1"]
        stack.enter_context(_process(command, log=home / "driver.log"))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        browser = _WebDriver(session, f"http://127.0.0.1:{port}")
        await _until(browser.ready)
        pages = {
            "binary": _webkit_pages()[-1],
            "args": ["--automation", f"--proxy=http://127.0.0.1:{proxy_port}"],
        }
        wanted = {"acceptInsecureCerts": True, "webkitgtk:browserOptions": pages}
        told = await browser.post("/session", capabilities={"alwaysMatch": wanted})
        browser.session = f"/session/{told['sessionId']}"
        try:
            yield browser
        finally:
            with suppress(aiohttp.ClientError, AssertionError):
                await browser.end()


class _WebDriver:
    """WebDriver over HTTP (https://w3c.github.io/webdriver/)."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=STEP_S)
        self.session = ""

    async def ready(self) -> bool:
        try:
            async with self._http.get(self._url + "/status", timeout=self._timeout) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def post(self, path: str, **body: Any) -> Any:
        where = self._url + self.session + path
        async with self._http.post(where, json=body, timeout=self._timeout) as answer:
            said = await answer.json()
            assert answer.status == 200, said
            return said["value"]

    async def end(self) -> None:
        async with self._http.delete(self._url + self.session, timeout=self._timeout) as answer:
            assert answer.status == 200

    async def open(self, url: str) -> None:
        await self.post("/url", url=url)

    async def run(self, expression: str) -> Any:
        script = (
            "const done = arguments[arguments.length - 1];"
            f"(async () => JSON.stringify(await ({expression})))().then(done)"
        )
        return json.loads(await self.post("/execute/async", script=script, args=[]) or "null")

    async def click(self, selector: str) -> None:
        found = await self.post("/element", using="css selector", value=selector)
        await self.post("/actions", actions=_press({ELEMENT: found[ELEMENT]}))


def _press(origin: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a mouse that moves to an element and is pressed and let go there."""
    steps: Sequence[dict[str, Any]] = (
        {"type": "pointerMove", "x": 0, "y": 0, "origin": origin, "duration": 0},
        {"type": "pointerDown", "button": 0},
        {"type": "pointerUp", "button": 0},
    )
    mouse = {"pointerType": "mouse"}
    return [{"type": "pointer", "id": "mouse", "parameters": mouse, "actions": list(steps)}]


@contextmanager
def _display(home: Path) -> Iterator[str]:
    """Start a screen that nobody sees, for a browser that needs one."""
    told, tell = os.pipe()
    command = ["Xvfb", "-displayfd", str(tell), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    with _process(command, log=home / "screen.log", keep=(tell,)):
        os.close(tell)
        # To the end of the line: it dies when the pipe closes before that.
        with os.fdopen(told) as line:
            number = line.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"


@contextmanager
def _process(
    command: Sequence[str],
    *,
    log: Path | None = None,
    keep: Sequence[int] = (),
) -> Iterator[None]:
    """Run a program and all that it starts for the length of a block."""
    with (log or Path(os.devnull)).open("wb") as said:
        process = subprocess.Popen(  # noqa: S603 - the programs named above
            command,
            stdout=said,
            stderr=said,
            pass_fds=keep,
            start_new_session=True,
        )
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


async def _has_told(file: Path) -> bool:
    return await asyncio.to_thread(
        lambda: file.exists() and file.read_text().rstrip().endswith("}")
    )


async def _until(true: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(int(START_S / POLL_S)):
        if await true():
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError("A browser did not start")
