"""Envelopes: what goes in comes out, for its own table and tenant alone."""

import base64
import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from trackai.errors import ConfigurationError, InvariantBroken
from trackai.model.clock import new_id
from trackai.storage.envelope import Envelope, development_key, new_key_text, parse_keys

KEY, OLD_KEY = bytes(range(32)), bytes(32)
TENANT, OTHER = new_id(), new_id()
PLAIN = b'{"email":"maria@example.com"}'


def envelope_of(*keys: bytes, knows: tuple[object, ...] = (TENANT, OTHER)) -> Envelope:
    """Return an envelope that has learned keys, freshly made, of these tenants."""
    envelope = Envelope(keys)
    for tenant in knows:
        envelope.learn(tenant, envelope.new_wrapped(tenant))  # type: ignore[arg-type]
    return envelope


# What KEY sealed for a tenant before tenants had keys of their own: version 1, the key's name, a
# nonce, the bytes under AES-256-GCM with "t", NUL and the tenant as associated data.
def sealed_before_tenants_had_keys(key: bytes) -> bytes:
    name = hashlib.sha256(b"trackai key name\x00" + key).digest()[:4]
    nonce = bytes(12)
    return b"\x01" + name + nonce + AESGCM(key).encrypt(nonce, PLAIN, b"t\x00" + TENANT.bytes)


def test_two_envelopes_of_the_same_bytes_differ() -> None:
    envelope = envelope_of(KEY)
    sealed = {envelope.seal(PLAIN, table="t", tenant_id=TENANT) for _ in range(100)}

    assert len(sealed) == 100


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_again(plain: bytes) -> None:
    envelope = envelope_of(KEY)
    sealed = envelope.seal(plain, table="t", tenant_id=TENANT)

    assert plain == envelope.open(sealed, table="t", tenant_id=TENANT)


@given(st.data())
def test_any_flipped_bit_is_noticed(data: st.DataObject) -> None:
    envelope = envelope_of(KEY)
    sealed = bytearray(envelope.seal(PLAIN, table="t", tenant_id=TENANT))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(InvariantBroken) as refused:
        envelope.open(bytes(sealed), table="t", tenant_id=TENANT)
    assert "maria" not in str(refused.value)


@given(st.binary(max_size=60), st.sampled_from([b"", b"\x01", b"\x02"]))
def test_what_is_no_envelope_is_refused(data: bytes, version: bytes) -> None:
    with pytest.raises(InvariantBroken):
        envelope_of(KEY).open(version + data, table="t", tenant_id=TENANT)


@given(st.integers(0, 40))
def test_an_envelope_cut_short_is_refused(length: int) -> None:
    envelope = envelope_of(KEY)
    sealed = envelope.seal(PLAIN, table="t", tenant_id=TENANT)

    with pytest.raises(InvariantBroken):
        envelope.open(sealed[:length], table="t", tenant_id=TENANT)


@pytest.mark.parametrize(("table", "tenant"), [("other", TENANT), ("t", OTHER)])
def test_an_envelope_opens_for_its_own_table_and_tenant_alone(table: str, tenant: object) -> None:
    envelope = envelope_of(KEY)
    sealed = envelope.seal(PLAIN, table="t", tenant_id=TENANT)

    with pytest.raises(InvariantBroken):
        envelope.open(sealed, table=table, tenant_id=tenant)  # type: ignore[arg-type]


def test_tenants_with_the_same_key_still_do_not_open_each_others_envelopes() -> None:
    envelope = Envelope([KEY])
    wrapped = envelope.new_wrapped(TENANT)
    envelope.learn(TENANT, wrapped)
    sealed = envelope.seal(PLAIN, table="t", tenant_id=TENANT)

    with pytest.raises(InvariantBroken):  # the wrapping names its tenant, too
        envelope.learn(OTHER, wrapped)
    with pytest.raises(InvariantBroken):
        envelope.open(sealed, table="t", tenant_id=OTHER)


def test_without_its_tenants_key_an_envelope_is_noise_to_the_installation() -> None:
    envelope = envelope_of(KEY)
    sealed = envelope.seal(PLAIN, table="t", tenant_id=TENANT)
    envelope.forget(TENANT)

    with pytest.raises(InvariantBroken, match="gone"):
        envelope.open(sealed, table="t", tenant_id=TENANT)
    with pytest.raises(InvariantBroken, match="gone"):  # and another key is another key
        envelope_of(KEY).open(sealed, table="t", tenant_id=TENANT)


def test_what_was_sealed_before_tenants_had_keys_still_opens() -> None:
    before = sealed_before_tenants_had_keys(OLD_KEY)
    envelope = envelope_of(KEY, OLD_KEY)

    assert PLAIN == envelope.open(before, table="t", tenant_id=TENANT)
    with pytest.raises(InvariantBroken, match="TRACKAI_SECRET_KEY"):
        envelope_of(KEY).open(before, table="t", tenant_id=TENANT)


def test_a_tenants_key_wrapped_anew_is_the_same_key() -> None:
    old = Envelope([OLD_KEY])
    wrapped = old.new_wrapped(TENANT)
    old.learn(TENANT, wrapped)
    sealed = old.seal(PLAIN, table="t", tenant_id=TENANT)
    anew = Envelope([KEY, OLD_KEY]).rewrap(TENANT, wrapped)
    assert anew is not None
    only_new = Envelope([KEY])
    only_new.learn(TENANT, anew)

    assert PLAIN == only_new.open(sealed, table="t", tenant_id=TENANT)
    assert only_new.rewrap(TENANT, anew) is None
    with pytest.raises(InvariantBroken):
        Envelope([KEY]).learn(TENANT, wrapped)


def test_fingerprints_are_the_tenants_own_and_outlive_another_wrapping() -> None:
    envelope = envelope_of(OLD_KEY)
    anew = Envelope([KEY, OLD_KEY])
    wrapped = envelope.new_wrapped(TENANT)
    envelope.learn(TENANT, wrapped)
    anew.learn(TENANT, anew.rewrap(TENANT, wrapped) or b"")

    mine = envelope.digest(PLAIN, tenant_id=TENANT)
    assert mine == anew.digest(PLAIN, tenant_id=TENANT)
    assert mine != envelope.digest(PLAIN, tenant_id=OTHER)


def test_old_fingerprints_stay_the_same_when_a_key_is_added_in_front() -> None:
    assert Envelope([OLD_KEY]).old_digest(PLAIN) == Envelope([KEY, OLD_KEY]).old_digest(PLAIN)
    assert Envelope([OLD_KEY]).old_digest(PLAIN) != Envelope([KEY]).old_digest(PLAIN)


@pytest.mark.parametrize("text", ["", "short", "ã", base64.b64encode(b"31 bytes" * 3).decode()])
def test_a_key_of_another_form_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError, match="TRACKAI_SECRET_KEY") as refused:
        Envelope(parse_keys(text))
    assert not text or text not in str(refused.value)


def test_a_key_may_lack_the_sign_that_fills_it_up() -> None:
    whole = new_key_text()

    assert parse_keys(whole) == parse_keys(whole.rstrip("="))
    # As AWS Secrets Manager makes a password: 43 letters and digits.
    assert 32 == len(parse_keys("Aa0" * 14 + "z")[0])


def test_a_development_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "data"
    first, second = development_key(home), development_key(home)

    assert first == second != new_key_text()
    assert [0o600] == [path.stat().st_mode & 0o777 for path in home.iterdir()]
