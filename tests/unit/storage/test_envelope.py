"""Envelopes: what goes in comes out, for its own table and tenant alone."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.errors import ConfigurationError, InvariantBroken
from trackai.model.clock import new_id
from trackai.storage.envelope import Envelope, development_key, new_key_text, parse_keys

KEY, OLD_KEY = bytes(range(32)), bytes(32)
TENANT, OTHER = new_id(), new_id()
PLAIN = b'{"email":"maria@example.com"}'


def test_two_envelopes_of_the_same_bytes_differ() -> None:
    envelope = Envelope([KEY])
    sealed = {envelope.seal(PLAIN, table="t", tenant_id=TENANT) for _ in range(100)}

    assert len(sealed) == 100


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_again(plain: bytes) -> None:
    envelope = Envelope([KEY])
    sealed = envelope.seal(plain, table="t", tenant_id=TENANT)

    assert plain == envelope.open(sealed, table="t", tenant_id=TENANT)


@given(st.data())
def test_any_flipped_bit_is_noticed(data: st.DataObject) -> None:
    envelope = Envelope([KEY])
    sealed = bytearray(envelope.seal(PLAIN, table="t", tenant_id=TENANT))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(InvariantBroken) as refused:
        envelope.open(bytes(sealed), table="t", tenant_id=TENANT)
    assert "maria" not in str(refused.value)


@given(st.binary(max_size=60))
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(InvariantBroken):
        Envelope([KEY]).open(data, table="t", tenant_id=TENANT)


@pytest.mark.parametrize(("table", "tenant"), [("other", TENANT), ("t", OTHER)])
def test_an_envelope_opens_for_its_own_table_and_tenant_alone(table: str, tenant: object) -> None:
    envelope = Envelope([KEY])
    sealed = envelope.seal(PLAIN, table="t", tenant_id=TENANT)

    with pytest.raises(InvariantBroken):
        envelope.open(sealed, table=table, tenant_id=tenant)  # type: ignore[arg-type]


def test_an_old_key_opens_and_a_new_one_seals() -> None:
    before = Envelope([OLD_KEY]).seal(PLAIN, table="t", tenant_id=TENANT)
    both = Envelope([KEY, OLD_KEY])
    after = both.seal(PLAIN, table="t", tenant_id=TENANT)

    assert PLAIN == both.open(before, table="t", tenant_id=TENANT)
    assert PLAIN == Envelope([KEY]).open(after, table="t", tenant_id=TENANT)


def test_an_unknown_key_is_named_as_the_cause() -> None:
    sealed = Envelope([OLD_KEY]).seal(PLAIN, table="t", tenant_id=TENANT)

    with pytest.raises(InvariantBroken, match="TRACKAI_SECRET_KEY"):
        Envelope([KEY]).open(sealed, table="t", tenant_id=TENANT)


def test_fingerprints_stay_the_same_when_a_key_is_added_in_front() -> None:
    assert Envelope([OLD_KEY]).digest(PLAIN) == Envelope([KEY, OLD_KEY]).digest(PLAIN)
    assert Envelope([OLD_KEY]).digest(PLAIN) != Envelope([KEY]).digest(PLAIN)


@pytest.mark.parametrize("text", ["", "short", "ã", base64.b64encode(b"31 bytes" * 3).decode()])
def test_a_key_of_another_form_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError, match="TRACKAI_SECRET_KEY") as refused:
        Envelope(parse_keys(text))
    assert not text or text not in str(refused.value)


def test_a_development_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "data"
    first, second = development_key(home), development_key(home)

    assert first == second != new_key_text()
    assert [0o600] == [path.stat().st_mode & 0o777 for path in home.iterdir()]
