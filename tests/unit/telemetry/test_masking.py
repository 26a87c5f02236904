"""What looks like somebody is in no line, and our own ids are in every one."""

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.model.clock import new_id
from trackai.telemetry.masking import REDACTED, masked, masked_text

_DIGITS = st.text(string.digits, min_size=11, max_size=11)
_NAMES = st.text(string.ascii_lowercase + string.digits + "._+-", min_size=1, max_size=20).filter(
    lambda name: name not in {"worker", "serve"}
)
_HOSTS = st.from_regex(r"[a-z]{1,10}\.(com|com\.br|dev)", fullmatch=True)
_EMAILS = st.builds("{}@{}".format, _NAMES, _HOSTS)
_CPFS = _DIGITS.map(lambda d: f"{d[:3]}.{d[3:6]}.{d[6:9]}-{d[9:]}")
_CNPJS = st.text(string.digits, min_size=14, max_size=14).map(
    lambda d: f"{d[:2]}.{d[2:5]}.{d[5:8]}/{d[8:12]}-{d[12:]}"
)
_PHONES = st.tuples(
    st.sampled_from(["+55{0}{1}{2}", "+55 {0} {1}-{2}", "+55 ({0}) {1}-{2}", "({0}) {1}-{2}"]),
    _DIGITS,
).map(lambda pair: pair[0].format(pair[1][:2], pair[1][2:7], pair[1][7:]))
_PUBLIC = st.one_of(
    st.ip_addresses(v=4).filter(lambda one: one.is_global),
    st.ip_addresses(v=6, network="2800::/12"),
).map(str)
_PEOPLE = st.one_of(_EMAILS, _CPFS, _CNPJS, _PHONES, _PUBLIC)
_AROUND = st.sampled_from(["", " ", "said: ", '"', "(", ", ", "Key (email)=("])


@given(_PEOPLE, _AROUND, st.sampled_from(["", " ", ", twice", ")", '"', " already exists"]))
def test_whoever_it_is_is_not_in_the_text(who: str, before: str, after: str) -> None:
    said = masked_text(f"{before}{who}{after}")

    assert who not in said
    assert REDACTED in said


@given(_PEOPLE)
def test_nor_inside_what_is_inside(who: str) -> None:
    said = str(masked({"why": [{"detail": who}, (who, 1)], "error": ValueError(who)}))

    assert who not in said


@given(
    st.one_of(
        st.uuids().map(str),
        st.builds(new_id).map(str),
        st.integers(0, 2**63).map(str),
        st.sampled_from(["hotmart:HP", "perfectpay:PPCPMTB", "stripe:pi_", "kiwify:"]).flatmap(
            lambda start: st.text(string.ascii_letters + string.digits, min_size=4).map(
                lambda rest: start + rest
            )
        ),
        st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()),
    )
)
def test_ids_and_times_stay_as_they_are(own: str) -> None:
    assert own == masked_text(own)


@pytest.mark.parametrize(
    "text",
    [
        "worker@ip-10-0-0-1.ec2.internal:4711",
        "http://127.0.0.1:8400",
        "http://10.0.0.5:9400/metrics",
        "connection to [::1]:5432 refused",
        "2026-11-29 17:28:16.123456+00:00",
        "version 1.2.3",
        "src/trackai/worker.py:112 run",
        "took 12.5 ms, then 3.25",
        "12345678909",  # a CPF, and as much an order's number
    ],
)
def test_what_operators_need_stays(text: str) -> None:
    assert text == masked_text(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("GET /t?email=ana%40example.com&x=1", f"GET /t?email={REDACTED}&x=1"),
        ("/t?x=1&email=ana@example.com#top", f"/t?x=1&email={REDACTED}#top"),
        ("next=%2Ft%3Femail%3Dana%2540example.com", f"next={REDACTED}"),
        ('{"email":"ana\\u0040example.com"}', f'{{"email":"{REDACTED}"}}'),
        ("phone=%2B5511987654321&v=2", f"phone={REDACTED}&v=2"),
        ("phone=%2B55%20%2811%29+98765-4321", f"phone={REDACTED}"),
        ("x%20%2B55+11+98765+4321", f"x%20{REDACTED}"),
        ("phone=%2811%29%2098765-4321", f"phone={REDACTED}"),
        ("sku=%28new%29&off=40%25", "sku=%28new%29&off=40%25"),
        ("window 1+2+3 of 100%", "window 1+2+3 of 100%"),
    ],
)
def test_as_addresses_write_it_it_is_told_no_more(text: str, said: str) -> None:
    assert said == masked_text(text)


@pytest.mark.parametrize("text", ["a%" * 50_000, "%25" * 50_000, "+1 " * 50_000, "%2B1" * 50_000])
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    masked_text(text + "@")

    assert time.process_time() - began < 5


def test_numbers_stay_numbers() -> None:
    assert [1, 2.5, True, None] == masked([1, 2.5, True, None])


def test_machines_of_ones_own_are_told_apart_from_visitors() -> None:
    assert f"from {REDACTED}" == masked_text("from 203.0.113.9")
    assert "from 192.168.3.9" == masked_text("from 192.168.3.9")
