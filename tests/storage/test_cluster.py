"""Where an embedded server's data go."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from trackai.storage.cluster import Place, find_place

AT_ONCE = 8
ROUNDS = 20


def test_processes_that_start_together_agree_on_a_directory_that_was_not_there(
    place: Path,
) -> None:
    for number in range(ROUNDS):
        home, start = place / str(number) / "data", Barrier(AT_ONCE)

        def find(home: Path = home, start: Barrier = start) -> Place:
            start.wait(10)
            return find_place(home, place / "refuge")

        with ThreadPoolExecutor(AT_ONCE) as threads:
            running = [threads.submit(find) for _ in range(AT_ONCE)]

        assert {home} == {one.result(10).base for one in running}
