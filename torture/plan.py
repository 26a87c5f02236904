"""What goes wrong, and when: drawn from a seed before anything runs. No I/O."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LONGEST_PAUSE_S = 1.2
SHORTEST_PAUSE_S = 0.1


class Trouble(StrEnum):
    """Kinds of faults."""

    KILL_SERVER = "kill_server"
    KILL_WORKER = "kill_worker"
    KILL_DATABASE = "kill_database"
    RESTART_DATABASE = "restart_database"
    HANG_UP_DATABASE = "hang_up_database"  # every session ended by the server
    FREEZE_WORKER = "freeze_worker"  # stopped until its leases have run out, then it goes on
    CUT = "cut"  # open connections of a line break
    REFUSE = "refuse"  # a line takes no connections for a while
    SILENCE = "silence"  # a line swallows everything for a while
    SLOW = "slow"  # a line delays everything for a while
    META = "meta"  # the stand-in for Meta answers with a fault
    CURSE = "curse"  # Meta refuses one sale's event, wherever it is
    TOO_OLD = "too_old"  # a sale older than Meta takes
    NEARLY_TOO_OLD = "nearly_too_old"  # one that becomes too old while it is tried


@dataclass(frozen=True, slots=True)
class Step:
    """After a pause, one trouble; what a kind has no use for is there all the same."""

    pause_s: float
    trouble: Trouble
    victim: int  # which of several
    line: str  # "database", "meta" or "queue"
    seconds: float  # how long it lasts
    fault: str  # of Meta's stand-in
    times: int  # requests that it answers so


KILLS = frozenset({Trouble.KILL_SERVER, Trouble.KILL_WORKER, Trouble.KILL_DATABASE})

# How often each is drawn, in relation to the others.
_WEIGHTS = {
    Trouble.KILL_SERVER: 14,
    Trouble.KILL_WORKER: 22,
    Trouble.KILL_DATABASE: 3,
    Trouble.RESTART_DATABASE: 2,
    Trouble.HANG_UP_DATABASE: 4,
    Trouble.FREEZE_WORKER: 3,
    Trouble.CUT: 8,
    Trouble.REFUSE: 4,
    Trouble.SILENCE: 3,
    Trouble.SLOW: 3,
    Trouble.META: 26,
    Trouble.CURSE: 3,
    Trouble.TOO_OLD: 1,
    Trouble.NEARLY_TOO_OLD: 1,
}
META_FAULTS = (
    "http_500",
    "http_503_html",
    "answer_lost",
    "truncated_json",
    "throttle",
    "throttle_429",
    "throttle_buc",
    "timeout",
    "token_expired",
    "garbage",
)
# Every kind of trouble, and of Meta's faults each one.
_ROUND = [
    *((kind, META_FAULTS[0]) for kind in Trouble if kind is not Trouble.META),
    *((Trouble.META, fault) for fault in META_FAULTS),
]
FIRST_ROUND = len(_ROUND)
# Then a server dies while the database says nothing: what it has answered must be on a disk.
_TOGETHER = (
    Step(0.5, Trouble.SILENCE, victim=0, line="database", seconds=2.0, fault="", times=1),
    Step(0.7, Trouble.KILL_SERVER, victim=0, line="database", seconds=0.0, fault="", times=1),
)
# So many steps come in every run.
SURE = FIRST_ROUND + len(_TOGETHER)


def draw(seed: int, lines: tuple[str, ...]) -> Iterator[Step]:
    """Yield steps without end: every kind once, then at random; the same for the same arguments."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    for trouble, fault in dice.sample(_ROUND, FIRST_ROUND):
        yield _step(dice, lines, trouble, fault)
    yield from _TOGETHER
    kinds, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    while True:
        trouble = dice.choices(kinds, weights)[0]
        yield _step(dice, lines, trouble, dice.choice(META_FAULTS))


def _step(dice: random.Random, lines: tuple[str, ...], trouble: Trouble, fault: str) -> Step:
    return Step(
        pause_s=dice.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S),
        trouble=trouble,
        victim=dice.randrange(1000),
        line=dice.choice(lines),
        seconds=dice.uniform(0.2, 2.0),
        fault=fault,
        times=dice.randint(1, 8),
    )
