"""`trackai probe`: the exit status that a container's engine goes by."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.support.ports import kept_port
from tests.support.program import Place
from typing_extensions import override


class Half(BaseHTTPRequestHandler):
    """A server that runs and has no database."""

    answers = {"/healthz": 200, "/metrics": 200, "/readyz": 503}  # noqa: RUF012 - never changed

    def do_GET(self) -> None:
        self.send_response(self.answers[self.path])
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def half_well() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Half) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield str(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def test_a_server_that_runs_is_well_even_without_its_database(tmp_path: Path) -> None:
    place = Place(tmp_path, None)
    with half_well() as port:
        runs = place.run("probe", TRACKAI_PORT=port, TRACKAI_HOST="0.0.0.0")  # noqa: S104
        ready = place.run("probe", "--ready", TRACKAI_PORT=port)
        worker = place.run("probe", "--worker", TRACKAI_METRICS_PORT=port)

    assert (0, "ok\n") == (runs.returncode, runs.stdout)
    assert (1, "trackai: /readyz on port " + port + " answered 503. [not_well]\n") == (
        ready.returncode,
        ready.stderr,
    )
    assert worker.returncode == 0
    # It looks, and leaves nothing behind: neither a key nor a database.
    assert [] == list(tmp_path.iterdir())


def test_nobody_there_is_not_well(tmp_path: Path) -> None:
    with kept_port() as port:
        done = Place(tmp_path, None).run("probe", TRACKAI_PORT=str(port))

    assert (1, True) == (done.returncode, "Nobody answers on port" in done.stderr)


def test_whom_to_ask_must_be_known(tmp_path: Path) -> None:
    place = Place(tmp_path, None)

    assert place.run("probe", "--worker").returncode == 2
    assert place.run("probe", TRACKAI_PORT="0").returncode == 2
