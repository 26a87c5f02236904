"""What every gateway must do, asked of each one in the registry.

A gateway brings tests/gateways/<name>/: real bodies, `<body>.expected.json` beside them, and
`case.py`, which says how a body is signed and where things stand in it.
"""

import datetime as dt
import importlib.util
import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict, replace
from importlib import resources
from pathlib import Path
from typing import Any, Protocol, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackai.errors import PayloadNotUnderstood
from trackai.gateways.port import Gateway, InboundRequest, Parsed, ProofFailure
from trackai.gateways.registry import gateways
from trackai.model.notice import NotASale, Notice

Path_ = tuple[str, ...]

HERE = Path(__file__).parents[1] / "gateways"
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
CLICK_ID = "Clk-019AB0_aZ"
CANARY = "CANARY-7f3a"


class Case(Protocol):
    """What a gateway's case.py says."""

    SECRET: str
    PROOF: str  # "body", "query" or the name of a header
    SIGNS_BODY: bool
    APPROVED: str  # the body of a paid sale that the tests below change
    EVENT: Path_
    UNKNOWN_EVENT: object
    TRANSACTION: Path_
    AMOUNT: Path_
    CLICK: Path_
    ESSENTIAL: tuple[Path_, ...]
    signed: Callable[[bytes, str, dt.datetime], InboundRequest]


def _load(name: str) -> Case:
    spec = importlib.util.spec_from_file_location(f"case_{name}", HERE / name / "case.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Case", module)


GATEWAYS = gateways()
CASES: Mapping[str, Case] = {name: _load(name) for name in GATEWAYS}
BODIES = [
    pytest.param(name, path, id=f"{name}-{path.stem}")
    for name in GATEWAYS
    for path in sorted((HERE / name).glob("*.json"))
    if not path.name.startswith("_") and not path.name.endswith(".expected.json")
]


@pytest.fixture(params=sorted(GATEWAYS))
def gateway(request: pytest.FixtureRequest) -> Gateway:
    return GATEWAYS[request.param]


@pytest.fixture
def case(gateway: Gateway) -> Case:
    return CASES[gateway.name]


@pytest.fixture
def body(gateway: Gateway, case: Case) -> bytes:
    return (HERE / gateway.name / case.APPROVED).read_bytes()


# Proof


def test_a_good_proof_passes(gateway: Gateway, case: Case, body: bytes) -> None:
    request = case.signed(body, case.SECRET, NOON)

    assert gateway.verify(request, [case.SECRET]) is None


def test_while_secrets_are_exchanged_either_passes(
    gateway: Gateway, case: Case, body: bytes
) -> None:
    request = case.signed(body, case.SECRET, NOON)

    assert gateway.verify(request, ["the-new-one", case.SECRET]) is None
    assert gateway.verify(request, [case.SECRET, "the-old-one"]) is None


def test_another_secret_fails(gateway: Gateway, case: Case, body: bytes) -> None:
    request = case.signed(body, "another", NOON)

    assert gateway.verify(request, [case.SECRET]) is ProofFailure.MISMATCH


@pytest.mark.parametrize("secrets", [[], [""], [" "], ["", "\t"]])
def test_a_blank_secret_never_passes(
    gateway: Gateway, case: Case, body: bytes, secrets: list[str]
) -> None:
    for blank in ("", *secrets):
        request = case.signed(body, blank, NOON)

        assert gateway.verify(request, secrets) is ProofFailure.NO_SECRET


def test_a_blank_secret_beside_a_real_one_does_not_help(
    gateway: Gateway, case: Case, body: bytes
) -> None:
    request = case.signed(body, "", NOON)

    assert gateway.verify(request, ["", case.SECRET]) is not None


def test_a_request_without_proof_says_so(gateway: Gateway, case: Case, body: bytes) -> None:
    request = InboundRequest(body, {}, "", NOON)
    if case.PROOF == "body":
        request = case.signed(body, "", NOON)

    assert gateway.verify(request, [case.SECRET]) is ProofFailure.MISSING


def _flipped(text: str, place: int, mask: int) -> str:
    changed = bytearray(text.encode("latin-1"))
    changed[place] ^= mask
    return changed.decode("latin-1")


def _flip_proof(case: Case, request: InboundRequest, place: int, mask: int) -> InboundRequest:
    """Change one byte of the proof; places beyond its end start over."""
    if case.PROOF == "query":
        place %= len(request.query)
        return replace(request, query=_flipped(request.query, place, mask))
    if case.PROOF == "body":
        start = request.body.index(case.SECRET.encode())
        changed = bytearray(request.body)
        changed[start + place % len(case.SECRET)] ^= mask
        return replace(request, body=bytes(changed))
    header = request.headers[case.PROOF]
    return replace(request, headers={case.PROOF: _flipped(header, place % len(header), mask)})


def test_each_flipped_byte_of_the_proof_fails(gateway: Gateway, case: Case, body: bytes) -> None:
    request = case.signed(body, case.SECRET, NOON)
    length = {"query": len(request.query), "body": len(case.SECRET)}.get(
        case.PROOF, len(request.headers.get(case.PROOF, ""))
    )
    passing = [
        place
        for place in range(length)
        if gateway.verify(_flip_proof(case, request, place, 1), [case.SECRET]) is None
    ]

    assert length >= 20
    assert passing == []


@pytest.mark.parametrize("name", sorted(n for n, c in CASES.items() if c.SIGNS_BODY))
def test_each_flipped_byte_of_a_signed_body_fails(name: str) -> None:
    case, gateway = CASES[name], GATEWAYS[name]
    request = case.signed((HERE / name / case.APPROVED).read_bytes(), case.SECRET, NOON)
    passing = []
    for place in range(len(request.body)):
        changed = bytearray(request.body)
        changed[place] ^= 1
        if gateway.verify(replace(request, body=bytes(changed)), [case.SECRET]) is None:
            passing.append(place)

    assert passing == []


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(CASES)), st.integers(0, 10_000), st.integers(1, 255))
def test_any_change_of_a_byte_of_the_proof_fails(name: str, place: int, mask: int) -> None:
    case, gateway = CASES[name], GATEWAYS[name]
    request = case.signed((HERE / name / case.APPROVED).read_bytes(), case.SECRET, NOON)

    assert gateway.verify(_flip_proof(case, request, place, mask), [case.SECRET]) is not None


@pytest.mark.parametrize("junk", ["", "?", "===&&&;;;", "\x00", "ÿ€", "t=,v1=", "signature="])
def test_a_junk_proof_fails_without_an_exception(
    gateway: Gateway, case: Case, body: bytes, junk: str
) -> None:
    headers = {} if case.PROOF in ("body", "query") else {case.PROOF: junk}
    request = InboundRequest(body, headers, junk, NOON)
    if case.PROOF == "body":
        request = case.signed(body, junk, NOON)

    assert gateway.verify(request, [case.SECRET]) is not None


@pytest.mark.parametrize("junk", [b"", b"[]", b"\xff\xfe", b"\x00", b"null", b"[" * 50_000])
def test_a_junk_body_fails_without_an_exception(gateway: Gateway, case: Case, junk: bytes) -> None:
    assert gateway.verify(InboundRequest(junk, {}, "", NOON), [case.SECRET]) is not None


# Meaning


def _parse(gateway: Gateway, body: bytes) -> Parsed:
    return gateway.parse(InboundRequest(body, {}, "", NOON))


def _notice(gateway: Gateway, body: bytes) -> Notice:
    parsed = _parse(gateway, body)
    assert isinstance(parsed, tuple)
    assert len(parsed) == 1
    return parsed[0]


def _plain(value: Any) -> Any:
    """Return what is said, as JSON would say it, without what is not."""
    if isinstance(value, dict):
        plain = {key: _plain(inner) for key, inner in value.items()}
        return {key: inner for key, inner in plain.items() if inner not in (None, [], {})}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, dt.datetime) else value


@pytest.mark.parametrize(("name", "path"), BODIES)
def test_a_body_means_what_stands_beside_it(name: str, path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_bytes())
    parsed = _parse(GATEWAYS[name], path.read_bytes())
    told = [parsed] if isinstance(parsed, NotASale) else list(parsed)

    assert expected == [_plain(asdict(one)) for one in told]
    assert parsed == _parse(GATEWAYS[name], path.read_bytes())


def _changed(body: bytes, path: Path_, value: object) -> bytes:
    document = json.loads(body)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(document).encode()


def _without(body: bytes, path: Path_) -> bytes:
    document = json.loads(body)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return json.dumps(document).encode()


def test_an_unknown_event_is_acknowledged(gateway: Gateway, case: Case, body: bytes) -> None:
    parsed = _parse(gateway, _changed(body, case.EVENT, case.UNKNOWN_EVENT))

    assert isinstance(parsed, NotASale)
    assert parsed.reason == "unknown_event"


def test_the_click_id_comes_back_unchanged_and_first(
    gateway: Gateway, case: Case, body: bytes
) -> None:
    notice = _notice(gateway, _changed(body, case.CLICK, CLICK_ID))

    assert case.CLICK[-1] == gateway.click_parameters[0]
    assert notice.tracking.click_ids[0] == CLICK_ID


def test_a_sale_without_amount_has_no_money(gateway: Gateway, case: Case, body: bytes) -> None:
    for absent in (_without(body, case.AMOUNT), _changed(body, case.AMOUNT, None)):
        assert _notice(gateway, absent).money is None


_BEYOND_REASON = {"quantity", "subscription_period", "recurrence_number", "charges_made"}


def _inflated(value: object) -> object:
    if isinstance(value, dict):
        return {
            name: 2**40 if name in _BEYOND_REASON else _inflated(inner)
            for name, inner in value.items()
        }
    return [_inflated(inner) for inner in value] if isinstance(value, list) else value


def test_a_count_beyond_all_reason_costs_that_field_alone(gateway: Gateway, body: bytes) -> None:
    notice = _notice(gateway, json.dumps(_inflated(json.loads(body))).encode())

    # What the columns take.
    assert notice.recurrence < 2**31
    assert notice.product.quantity < 2**31
    assert notice.money is not None


@pytest.mark.parametrize(
    "unreadable",
    ["R$ 39,90", "39,90", "NaN", "1e3", "-1", -1, True, [], {}, [39.9], 10**30, 1e300, -0.5],
)
def test_an_unreadable_amount_of_a_paid_sale_is_not_guessed(
    gateway: Gateway, case: Case, body: bytes, unreadable: object
) -> None:
    with pytest.raises(PayloadNotUnderstood):
        _parse(gateway, _changed(body, case.AMOUNT, unreadable))


@pytest.mark.parametrize("written", ["1e999999999", "1E-99999999999999999999", "9" * 4400])
def test_an_endless_amount_is_not_understood(
    gateway: Gateway, case: Case, body: bytes, written: str
) -> None:
    changed = _changed(body, case.AMOUNT, CANARY).replace(f'"{CANARY}"'.encode(), written.encode())

    with pytest.raises(PayloadNotUnderstood):
        _parse(gateway, changed)


@pytest.mark.parametrize("spoilt", [None, "", " ", [], {}, True, "x" * 5000, "a\0b"])
def test_a_paid_sale_without_transaction_is_not_understood(
    gateway: Gateway, case: Case, body: bytes, spoilt: object
) -> None:
    names = [path for path in case.ESSENTIAL if path[-1] in ("refId", "id")]
    for path in (case.TRANSACTION, *names):
        body = _changed(body, path, spoilt)

    with pytest.raises(PayloadNotUnderstood):
        _parse(gateway, body)


def _places(value: object, prefix: Path_ = ()) -> Iterator[Path_]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*prefix, key)
            yield from _places(inner, (*prefix, key))


def test_a_spoilt_detail_costs_that_detail_and_not_the_sale(
    gateway: Gateway, case: Case, body: bytes
) -> None:
    sale = _notice(gateway, body)
    free = [
        path
        for path in _places(json.loads(body))
        if not any(path == essential[: len(path)] for essential in case.ESSENTIAL)
    ]
    spoilt: tuple[object, ...] = (None, "", [], {}, [[]], True, -1, 10**30, 0.5, "x" * 5000, "a\0b")
    for path in free:
        for junk in (*spoilt, "0000-99", "9999-12-31T23:59:59-12:00"):
            found = _notice(gateway, _changed(body, path, junk))

            assert (sale.transaction, sale.status, sale.money) == (
                found.transaction,
                found.status,
                found.money,
            ), (path, junk)

    assert len(free) > 20


def test_an_error_holds_no_value_of_the_body(gateway: Gateway, body: bytes) -> None:
    told = []
    for path in _places(json.loads(body)):
        for spoilt in (CANARY, CANARY * 200, [CANARY]):
            changed = _changed(body, path, spoilt)
            for sent in (changed, changed.replace(CANARY.encode(), CANARY.encode() + b"\xff")):
                try:
                    _parse(gateway, sent)
                except PayloadNotUnderstood as error:
                    told.append("".join(traceback.format_exception(error)))

    assert told
    assert [text for text in told if CANARY in text] == []


# Anything at all

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(max_size=20)
    | st.sampled_from(["paid", "approved", "2", "0", "2026-06-08 11:53", "BRL", "in_1", "cs_1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def _understood_or_not(gateway: Gateway, body: bytes) -> None:
    try:
        parsed = _parse(gateway, body)
    except PayloadNotUnderstood:
        return
    assert isinstance(parsed, NotASale) or all(isinstance(one, Notice) for one in parsed)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(GATEWAYS)), st.binary(max_size=200))
def test_random_bytes_are_not_understood_and_nothing_worse(name: str, body: bytes) -> None:
    _understood_or_not(GATEWAYS[name], body)
    GATEWAYS[name].verify(InboundRequest(body, {}, "", NOON), ["secret"])


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([param.values for param in BODIES]),
    st.integers(0, 10_000),
    st.integers(0, 12),
    st.binary(max_size=6),
)
def test_damaged_bodies_are_not_understood_and_nothing_worse(
    found: tuple[str, Path], place: int, cut: int, put: bytes
) -> None:
    name, path = found
    body = path.read_bytes()
    place %= len(body)

    _understood_or_not(GATEWAYS[name], body[:place] + put + body[place + cut :])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([param.values for param in BODIES]), st.data())
def test_bodies_with_other_values_are_not_understood_and_nothing_worse(
    found: tuple[str, Path], data: st.DataObject
) -> None:
    name, path = found
    document = json.loads(path.read_bytes())
    places = list(_places(document))
    changed = deepcopy(document)
    for place in data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=3)):
        inner = changed
        for key in place[:-1]:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner[place[-1]] = data.draw(_JSON)

    _understood_or_not(GATEWAYS[name], json.dumps(changed).encode())


@pytest.mark.parametrize("depth", [900, 5_000, 200_000])
def test_deep_nesting_is_not_understood_and_nothing_worse(gateway: Gateway, depth: int) -> None:
    for nested in (b"[" * depth, b'{"data":' * depth, b'{"order":' * depth + b"1" + b"}" * depth):
        _understood_or_not(gateway, nested)


# What people see


@pytest.mark.parametrize("language", ["pt-BR", "en"])
def test_the_setup_page_exists_and_names_the_click_parameter(
    gateway: Gateway, language: str
) -> None:
    folder = resources.files("trackai.gateways") / gateway.name
    page = (folder / f"setup.{language}.md").read_text(encoding="utf-8")

    assert page.startswith(f"# {gateway.title}")
    assert f"`{gateway.click_parameters[0]}`" in page
    assert len(page.splitlines()) >= 15


def test_names_are_fit_for_addresses_and_tables(gateway: Gateway) -> None:
    assert gateway.name == gateway.name.lower()
    assert gateway.name.isidentifier()
