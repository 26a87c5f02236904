"""Ids, times, digests and addresses of page reports."""

import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.errors import InvalidField
from trackai.ingest.fields import (
    ad_parameters,
    is_id,
    parse_client_time,
    parse_digest,
    parse_id,
    parse_uuid,
    short_id,
    without_query,
)

FBCLID = "IwAR0aBc-_9"


@given(st.uuids(), st.uuids())
def test_short_ids_are_url_safe_and_sort_as_their_uuids_do(
    first: uuid.UUID, second: uuid.UUID
) -> None:
    ids = short_id("c", first), short_id("c", second)

    assert all(is_id(one) and len(one) == 23 for one in ids)
    assert (first < second, first == second) == (ids[0] < ids[1], ids[0] == ids[1])


@pytest.mark.parametrize("text", ["a", "A-Z_09", "-", "_", "a" * 64])
def test_id_of_url_safe_characters_is_taken_as_it_is(text: str) -> None:
    assert text == parse_id(text, "click_id")


@pytest.mark.parametrize(
    "text", ["a" * 65, "a b", "a\n", "\na", "é", "a/b", "a.b", "٣", "²", "\x00"]
)
def test_any_other_id_is_refused_and_names_its_field(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        parse_id(text, "click_id")

    assert refused.value.field == "click_id"
    assert text not in str(refused.value).split("characters")[1]


@pytest.mark.parametrize("parse", [parse_id, parse_uuid, parse_digest])
@pytest.mark.parametrize("text", [None, ""])
def test_empty_is_absent(parse: object, text: str | None) -> None:
    assert callable(parse)
    assert parse(text, "field") is None


@pytest.mark.parametrize(
    "text", ["x", "0" * 63, "0" * 65, "g" * 64, "0" * 62 + "\n0", "0x" + "0" * 62]
)
def test_digest_is_64_hexadecimal_digits(text: str) -> None:
    assert parse_digest("aB" * 32, "f") == "aB" * 32
    with pytest.raises(InvalidField):
        parse_digest(text, "f")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-23T09:00:00-03:00", dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)),
        ("2026-11-23T12:00:00Z", dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)),
        ("2026-11-23T12:00:00.123Z", dt.datetime(2026, 11, 23, 12, 0, 0, 123000, tzinfo=dt.UTC)),
        (0, dt.datetime(1970, 1, 1, tzinfo=dt.UTC)),
        (1500.0, dt.datetime(1970, 1, 1, 0, 0, 1, 500000, tzinfo=dt.UTC)),
        (-1000, dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=dt.UTC)),
        (None, None),
        ("", None),
    ],
)
def test_client_time_is_iso_with_zone_or_epoch_milliseconds(
    value: str | float | None, expected: dt.datetime | None
) -> None:
    assert expected == parse_client_time(value)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T12:00:00",
        "2026-11-23",
        "now",
        "1700000000000",
        "0001-01-01T00:00:00+14:00",
        float("inf"),
        float("nan"),
        1e300,
        10**30,
        -(10**30),
    ],
)
def test_time_without_zone_or_out_of_bounds_is_refused(value: str | float) -> None:
    with pytest.raises(InvalidField) as refused:
        parse_client_time(value)

    assert refused.value.field == "client_time"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.b/c?d=e#f", "https://a.b/c"),
        ("https://a.b/c#f?d=e", "https://a.b/c"),
        ("https://a.b/c", "https://a.b/c"),
        ("?d=e", None),
        ("", None),
        (None, None),
    ],
)
def test_address_is_kept_without_query_and_fragment(url: str | None, expected: str | None) -> None:
    assert expected == without_query(url)


def test_parameters_are_decoded_once_and_plus_is_a_blank_in_utms_alone() -> None:
    url = (
        "https://a.b/?utm_source=Face+book&utm_medium=%25C3%25A9&utm_term=%C3%A9&fbclid=a+b%2Bc"
        "&gclid=%2541&ttclid=T&other=1&utm_id=2#utm_content=x"
    )

    assert ad_parameters(url) == {
        "utm_source": "Face book",
        "utm_medium": "%C3%A9",
        "utm_term": "é",
        "fbclid": "a+b+c",
        "gclid": "%41",
        "ttclid": "T",
    }


@pytest.mark.parametrize(
    "query",
    [
        "fbclid=",
        "fbclid",
        "fbclid=a%00",
        "fbclid=" + "a" * 1001,
        "utm_term=" + "a" * 501,
        "&&=&",
        "FBCLID=a",
    ],
)
def test_parameter_that_cannot_be_stored_is_left_out(query: str) -> None:
    assert ad_parameters(f"https://a.b/?{query}&gclid=g") == {"gclid": "g"}


def test_first_of_several_equal_parameters_counts() -> None:
    assert ad_parameters("https://a.b/?fbclid=&fbclid=1&fbclid=2") == {"fbclid": "1"}


@given(st.text(max_size=200))
def test_no_address_makes_it_fail(url: str) -> None:
    found = ad_parameters(f"https://a.b/?utm_source={url}")

    assert set(found) <= {"utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"} | {
        "fbclid",
        "gclid",
        "ttclid",
    }
