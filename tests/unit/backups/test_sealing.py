"""A sealed stream opens as it was written, or not at all."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackai.backups.sealing import HEADER_BYTES, Opening, Sealing
from trackai.errors import BackupDamaged
from trackai.storage.envelope import Envelope

ENVELOPE = Envelope([bytes(range(32))])
CHUNK_BYTES = 4000
SEALED_CHUNK = CHUNK_BYTES + 16
# Three chunks and a half.
PLAIN = random.Random(7).randbytes(3 * CHUNK_BYTES + CHUNK_BYTES // 2)  # noqa: S311


def seal(plain: bytes, name: str = "a/rows", *, piece: int = 1500) -> bytes:
    sealing = Sealing(ENVELOPE, name, chunk_bytes=CHUNK_BYTES)
    parts = [sealing.add(plain[at : at + piece]) for at in range(0, len(plain), piece)]
    return sealing.header + b"".join(parts) + sealing.end()


def unseal(
    sealed: bytes, name: str = "a/rows", *, piece: int = 1500, envelope: Envelope = ENVELOPE
) -> bytes:
    opening = Opening(envelope, name, chunk_bytes=CHUNK_BYTES)
    parts = [opening.add(sealed[at : at + piece]) for at in range(0, len(sealed), piece)]
    return b"".join(parts) + opening.end()


SEALED = seal(PLAIN)


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES]
)
def test_what_was_sealed_opens(size: int) -> None:
    assert PLAIN[:size] == unseal(seal(PLAIN[:size]))


@settings(deadline=None)
@given(st.integers(1, 15_000), st.integers(1, 15_000))
def test_it_does_not_matter_in_which_pieces_it_comes(written: int, read: int) -> None:
    assert PLAIN == unseal(seal(PLAIN, piece=written), piece=read)


def test_a_stream_of_several_whole_chunks_opens() -> None:
    plain = PLAIN * 100
    sealing, opening = Sealing(ENVELOPE, "a"), Opening(ENVELOPE, "a")

    sealed = sealing.header + sealing.add(plain) + sealing.end()

    assert plain == opening.add(sealed) + opening.end()


def test_the_same_is_never_sealed_alike() -> None:
    assert seal(b"the same") != seal(b"the same")


@settings(deadline=None)
@given(st.integers(0, len(SEALED) * 8 - 1))
def test_one_bit_that_changed_is_noticed(bit: int) -> None:
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(BackupDamaged):
        unseal(bytes(changed))


@pytest.mark.parametrize("end", [0, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + SEALED_CHUNK])
def test_what_is_cut_off_between_two_chunks_is_noticed(end: int) -> None:
    with pytest.raises(BackupDamaged):
        unseal(SEALED[:end])


@settings(deadline=None)
@given(st.integers(0, len(SEALED) - 1))
def test_what_is_cut_off_is_noticed_wherever(end: int) -> None:
    with pytest.raises(BackupDamaged):
        unseal(SEALED[:end])


def test_chunks_in_another_order_are_noticed() -> None:
    first, second = HEADER_BYTES, HEADER_BYTES + SEALED_CHUNK
    third = second + SEALED_CHUNK
    turned = SEALED[:first] + SEALED[second:third] + SEALED[first:second] + SEALED[third:]

    with pytest.raises(BackupDamaged):
        unseal(turned)


def test_what_was_appended_is_noticed() -> None:
    with pytest.raises(BackupDamaged):
        unseal(SEALED + b"x")
    with pytest.raises(BackupDamaged):
        unseal(SEALED + SEALED)


def test_a_file_under_another_name_is_noticed() -> None:
    with pytest.raises(BackupDamaged):
        unseal(SEALED, "b/rows")


def test_another_key_does_not_open_it_and_the_sentence_says_so() -> None:
    with pytest.raises(BackupDamaged, match="TRACKAI_SECRET_KEY"):
        unseal(SEALED, envelope=Envelope([bytes(32)]))


def test_an_older_key_that_is_still_there_opens_it() -> None:
    both = Envelope([bytes(32), bytes(range(32))])

    assert PLAIN == unseal(SEALED, envelope=both)


def test_no_stream_of_this_program_is_told_apart() -> None:
    with pytest.raises(BackupDamaged, match="no backup of this program"):
        unseal(b"PGDMP" + bytes(100))
