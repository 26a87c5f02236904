"""Damages bytes: some of them, or what they mean when they are JSON; by one generator alone."""

import json
from collections.abc import Callable, Sequence
from random import Random

# What parsers trip over: limits, marks of order and direction, and half of a sign.
WORDS: tuple[bytes, ...] = (
    *(b"", b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", "\u202e".encode()),
    *("\u0661\u0662".encode(), "\U0001f4b8".encode() * 5, b"%00", b"%", b"%C3", b"\\ud800"),
    *(b"\r\n", b"\r\n\r\n", b"\n", b"\t", b",", b";", b'"', b"'", b"{", b"[", b"}", b"=", b":"),
    *(
        b"null",
        b"true",
        b"NaN",
        b"Infinity",
        b"-0",
        b"1e999",
        b"1e-999",
        b"0.1",
        b"1,99",
        b"1.999,9",
    ),
    *(b"9" * 400, b"-9223372036854775809", b"99999-99-99", b"2026-02-30T25:61:61Z", b"[" * 300),
    *(b"::1", b"[::ffff:1.2.3.4]:80", b"1.2.3.4:", b"999.1.1.1", b"fe80::1%eth0", b"unknown"),
    *(
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: -1\r\n",
        b"0\r\n\r\n",
        b"FFFFFFFFFFFFFFFF\r\n",
    ),
    *(b"HTTP/1.1", b"HTTP/9.9", b"GET ", b"POST ", b"<!--", b"<script ", b"-->", b"../" * 9),
)
ODD: tuple[object, ...] = (
    *(None, True, False, 0, -1, 2**63, -(2**63) - 1, 10**400, 0.1, -0.0, 1e308, 5e-324),
    *("", " ", "\x00", "a" * 5000, "\ud800", "٣", "1e400", "NaN", "-", "1.2.3", "0x10", "1,000.50"),
    *([], {}, [[]], [None], {"": {}}, "9999-12-31T23:59:59+23:59", "0001-01-01", "2026-13-01"),
    *("a@b", "@", "+5511987654321", "https://[::1", "http://a/?x=%zz", "BRL", "R$", "ß" * 300),
)
MOST_BYTES = 40_000

Change = Callable[[Random, bytearray, Sequence[bytes]], None]


def numbers(seed: object) -> Random:
    """Return a generator whose numbers can be had again."""
    return Random(str(seed))  # noqa: S311 - as said


def damaged(random: Random, seeds: Sequence[bytes]) -> bytes:
    """Return one of the seeds with a few things wrong."""
    seed = random.choice(seeds)
    if random.randrange(2) and (found := _damaged_json(random, seed)) is not None:
        return found
    data = bytearray(seed)
    for _ in range(1 + int(random.expovariate(0.5))):
        random.choice(_CHANGES)(random, data, seeds)
    return bytes(data[:MOST_BYTES])


def _flip(random: Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _insert(random: Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    at = random.randint(0, len(data))
    data[at:at] = random.choice(WORDS)


def _replace(random: Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    begin, end = _part(random, data)
    data[begin:end] = random.choice(WORDS)


def _drop(random: Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    begin, end = _part(random, data)
    del data[begin:end]


def _repeat(random: Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    begin, end = _part(random, data)
    data[end:end] = data[begin:end] * random.choice((1, 2, 50))


def _cross(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = random.choice(seeds)
    begin, end = _part(random, data)
    first, last = _part(random, other)
    data[begin:end] = other[first:last]


def _cut(random: Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    del data[random.randint(0, len(data)) :]


_CHANGES: tuple[Change, ...] = (_flip, _insert, _replace, _drop, _repeat, _cross, _cut)


def _part(random: Random, data: bytes | bytearray) -> tuple[int, int]:
    begin = random.randint(0, len(data))
    return begin, min(len(data), begin + int(random.expovariate(0.05)))


def _damaged_json(random: Random, seed: bytes) -> bytes | None:
    try:
        document = json.loads(seed)
    except (ValueError, RecursionError):
        return None
    places = list(_places(document))
    if not places:
        return None
    for _ in range(1 + int(random.expovariate(0.7))):
        holder, key = random.choice(places)
        _spoil(random, holder, key)
    try:
        return json.dumps(document, ensure_ascii=bool(random.randrange(2))).encode(
            "utf-8", "surrogatepass"
        )[:MOST_BYTES]
    except RecursionError:
        return None


def _places(found: object) -> "list[tuple[dict[str, object] | list[object], object]]":
    """Return every place of a document that holds a value."""
    places: list[tuple[dict[str, object] | list[object], object]] = []
    waiting = [found]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            places += [(holder, key) for key in holder]
            waiting += holder.values()
        elif isinstance(holder, list):
            places += [(holder, at) for at in range(len(holder))]
            waiting += holder
    return places


def _spoil(random: Random, holder: dict[str, object] | list[object], key: object) -> None:
    way = random.choice(("gone", "list", "longer", "odd"))
    try:
        value = holder[key]  # type: ignore[call-overload, index]
        if way == "gone" and isinstance(holder, dict):
            del holder[key]  # type: ignore[arg-type]
        elif way == "list":
            holder[key] = [value] * random.choice((0, 1, 2))  # type: ignore[call-overload, index]
        elif way == "longer" and isinstance(value, str):
            holder[key] = value[:: random.choice((1, -1))] * random.choice((1, 2, 400))  # type: ignore[call-overload, index]
        else:
            holder[key] = random.choice(ODD)  # type: ignore[call-overload, index]
    except (KeyError, IndexError):  # gone with what was spoilt before
        return
