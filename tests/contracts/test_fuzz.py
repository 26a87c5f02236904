"""Damaged input, a little of it: `make fuzz` throws more, for as long as it is told to."""

import math
import time
from random import Random
from typing import TYPE_CHECKING, TypeVar

import pytest
from tools.fuzz.__main__ import SLOW_S, Fuzzer, TooSlow
from tools.fuzz.http import speak
from tools.fuzz.mutate import damaged, numbers
from tools.fuzz.targets import Target, targets
from typing_extensions import override

from trackai.gateways.registry import gateways

if TYPE_CHECKING:
    from _typeshed import SupportsLenAndGetItem

INPUTS = 150
T = TypeVar("T")


@pytest.mark.parametrize("target", targets(), ids=lambda one: one.name)
def test_damaged_input_breaks_nothing(target: Target) -> None:
    fuzzer = Fuzzer(target, numbers(f"1:{target.name}"), math.inf)
    found = [broken for _ in range(INPUTS) if (broken := fuzzer.throw()) is not None]

    assert [] == found
    assert INPUTS == fuzzer.inputs


def test_what_breaks_is_found_once_with_its_input() -> None:
    def breaks(data: bytes, _random: Random) -> object:
        return data.decode()

    fuzzer = Fuzzer(Target("breaks", [b"caf\xc3\xa9" * 20], breaks), numbers(1))
    found = [broken for _ in range(200) if (broken := fuzzer.throw()) is not None]

    ((data, error),) = found
    assert isinstance(error, UnicodeDecodeError)
    with pytest.raises(UnicodeDecodeError):
        data.decode()


def test_what_takes_long_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = iter((0.0, SLOW_S + 1))
    monkeypatch.setattr(time, "process_time", lambda: next(passed))
    found = Fuzzer(Target("slow", [b"x"], lambda _data, _random: None), numbers(1)).throw()

    assert found is not None
    assert isinstance(found[1], TooSlow)


def test_the_same_seed_is_the_same_input() -> None:
    one, other = numbers(7), numbers(7)
    seeds = [b'{"a":[1,{"b":"c"}]}', b"a=1&b=2"]

    assert [damaged(one, seeds) for _ in range(50)] == [damaged(other, seeds) for _ in range(50)]


class InOnePiece(Random):
    """Chooses the first of what there is: all bytes at once."""

    @override
    def choice(self, seq: "SupportsLenAndGetItem[T]") -> T:
        return seq[0]


def test_both_ways_of_a_request_are_fuzzed() -> None:
    whole = b"POST /echo! HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
    reading = b"GET /echo! HTTP/1.1\r\n\r\n"

    one = InOnePiece()
    assert "200 short" == speak(whole, one)
    assert "200 long" == speak(reading, one)
    assert "400" == speak(b"nonsense\r\n\r\n", one)


def test_every_gateway_is_fuzzed() -> None:
    names = {one.name for one in targets()}

    assert {f"{name}.{way}" for name in gateways() for way in ("verify", "parse")} < names
