"""`python -m tools.fuzz --seconds 600 [--seed 7] [--only http]`: until the time is over.

Every target has its turn, some inputs each. What it says of an input in a word it did not use
before makes the input a seed of later ones. A finding is printed with its input and kept in
.fuzz/; the exit status is then 1. The same seed throws the same inputs, as far as time allows.
"""

import argparse
import base64
import hashlib
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tools.fuzz.mutate import damaged, numbers
from tools.fuzz.targets import Target, targets

TURN = 50  # inputs of a target in a row
SLOW_S = 2.0  # an input of 40 kB that takes this long of the processor is a finding, too
MOST_SEEDS = 400
KEPT = Path(".fuzz")


class TooSlow(Exception):
    """A small input took long."""


@dataclass
class Fuzzer:
    """Throws at one target."""

    target: Target
    random: Random
    slow_s: float = SLOW_S
    seeds: list[bytes] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    inputs: int = 0
    findings: "Counter[str]" = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.seeds = list(self.target.seeds)

    def throw(self) -> tuple[bytes, BaseException] | None:
        """Throw one input; return it with what it broke, if that is news."""
        data = damaged(self.random, self.seeds)
        self.inputs += 1
        began = time.process_time()
        try:
            said = repr(self.target.run(data, self.random))
            if time.process_time() - began > self.slow_s:
                raise TooSlow  # noqa: TRY301 - a finding as the others are
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            return (data, error) if self._is_news(error) else None
        if said not in self.said and len(self.seeds) < MOST_SEEDS:
            self.said.add(said)
            self.seeds.append(data)
        return None

    def _is_news(self, error: BaseException) -> bool:
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}"
        self.findings[where] += 1
        return self.findings[where] == 1


def fuzz(seconds: float, seed: int, only: str = "") -> list[Fuzzer]:
    """Throw at every target in turn until the time is over."""
    fuzzers = [Fuzzer(one, numbers(f"{seed}:{one.name}")) for one in targets() if only in one.name]
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for one in fuzzers:
            for _ in range(TURN):
                found = one.throw()
                if found is not None:
                    _keep(one.target.name, *found)
    return fuzzers


def _keep(name: str, data: bytes, error: BaseException) -> None:
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    print(f"--- {name}: {path}\n{base64.b64encode(data[:300]).decode()}", file=sys.stderr)
    traceback.print_exception(error)


def main() -> int:
    """Run from a command line."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else time.time_ns() % 1_000_000
    print(f"seed {seed}, {given.seconds:g} s", flush=True)
    fuzzers = fuzz(given.seconds, seed, given.only)
    for one in fuzzers:
        found = ", ".join(f"{where} ({n} times)" for where, n in one.findings.items()) or "nothing"
        print(f"{one.target.name:20} {one.inputs:9,} inputs {len(one.said):4} answers: {found}")
    return 1 if any(one.findings for one in fuzzers) else 0


if __name__ == "__main__":
    sys.exit(main())
