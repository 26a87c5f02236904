"""What is remembered of secrets, and how often anybody is asked for them."""

import asyncio
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from trackai.errors import ConfigurationError, SecretMissing, SecretUnavailable
from trackai.secrets.cache import MOST, Cache
from trackai.secrets.port import Kept, is_reference, reference
from trackai.telemetry.logging import REDACTED_KEYS

NAME = "aws:trackai/production/kiwify_secret"


@dataclass
class Safe:
    """Where secrets are kept; may be away, and counts who asks."""

    value: str = "made-up-one"
    error: SecretUnavailable | None = None
    asked: list[str] = field(default_factory=list)
    now: float = 100.0

    async def look_up(self, name: str) -> Kept:
        self.asked.append(name)
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return Kept(self.value)

    @property
    def cache(self) -> Cache:
        return Cache(self.look_up, monotonic=lambda: self.now)


async def test_it_is_asked_for_once_while_it_is_young() -> None:
    safe = Safe()
    cache = safe.cache
    for _ in range(3):
        await cache.find(NAME, max_age_s=60)
        safe.now += 19

    assert [NAME] == safe.asked


async def test_a_new_value_is_seen_when_the_old_one_is_too_old() -> None:
    safe = Safe()
    cache = safe.cache
    await cache.find(NAME, max_age_s=60)
    safe.value, safe.now = "made-up-two", safe.now + 2

    assert "made-up-one" == (await cache.find(NAME, max_age_s=60)).value
    assert "made-up-two" == (await cache.find(NAME, max_age_s=1)).value


async def test_many_at_once_ask_once() -> None:
    safe = Safe()
    cache = safe.cache
    found = await asyncio.gather(*(cache.find(NAME, max_age_s=60) for _ in range(50)))

    assert {"made-up-one"} == {one.value for one in found}
    assert [NAME] == safe.asked


async def test_whoever_insists_is_asked_for_at_most_once_a_second() -> None:
    safe = Safe()
    cache = safe.cache
    for _ in range(100):
        await cache.find(NAME, max_age_s=0)
        safe.now += 0.05

    assert len(safe.asked) <= 6


async def test_while_nobody_answers_the_old_value_counts() -> None:
    safe = Safe()
    cache = safe.cache
    await cache.find(NAME, max_age_s=60)
    safe.error, safe.now = SecretUnavailable("away"), safe.now + 3600
    with capture_logs() as logs:
        found = await cache.find(NAME, max_age_s=60)

    assert "made-up-one" == found.value
    (line,) = logs
    assert ("secret.away", NAME, "away", True) == (
        *(line["event"], line["kept_at"]),
        *(line["reason"], line["kept"]),
    )
    # People have to see which one it is.
    assert line.keys().isdisjoint(REDACTED_KEYS)


async def test_while_nobody_answers_most_do_not_wait_for_it_and_who_insists_asks() -> None:
    safe = Safe()
    cache = safe.cache
    await cache.find(NAME, max_age_s=60)
    safe.error, safe.now = SecretUnavailable("away"), safe.now + 3600
    for _ in range(20):
        await cache.find(NAME, max_age_s=60)
        safe.now += 1.1
    usual = len(safe.asked)
    await cache.find(NAME, max_age_s=1)

    assert 2 == usual
    assert 3 == len(safe.asked)


async def test_while_one_looks_it_up_again_others_use_what_was_known() -> None:
    safe, answered = Safe(), asyncio.Event()

    async def slowly(name: str) -> Kept:
        if safe.asked:
            await answered.wait()
        return await safe.look_up(name)

    cache = Cache(slowly, monotonic=lambda: safe.now)
    await cache.find(NAME, max_age_s=60)
    safe.value, safe.now = "made-up-two", safe.now + 61
    first = asyncio.create_task(cache.find(NAME, max_age_s=60))
    await asyncio.sleep(0)
    other = await cache.find(NAME, max_age_s=60)
    answered.set()

    assert "made-up-one" == other.value
    assert "made-up-two" == (await first).value


async def test_what_was_never_known_is_unavailable_and_not_asked_for_in_a_row() -> None:
    safe = Safe(error=SecretUnavailable("away"))
    cache = safe.cache
    for _ in range(10):
        with pytest.raises(SecretUnavailable):
            await cache.find(NAME, max_age_s=60)
    first = len(safe.asked)
    safe.error, safe.now = None, safe.now + 1

    assert 1 == first
    assert "made-up-one" == (await cache.find(NAME, max_age_s=60)).value


async def test_what_was_withdrawn_counts_no_more() -> None:
    safe = Safe()
    cache = safe.cache
    await cache.find(NAME, max_age_s=60)
    safe.error, safe.now = SecretMissing(), safe.now + 61

    with pytest.raises(SecretMissing):
        await cache.find(NAME, max_age_s=60)
    safe.error, safe.now = SecretUnavailable("away"), safe.now + 61
    with pytest.raises(SecretUnavailable):
        await cache.find(NAME, max_age_s=60)


async def test_it_does_not_remember_without_bounds() -> None:
    safe = Safe()
    cache = safe.cache
    for number in range(MOST + 10):
        await cache.find(f"{NAME}{number}", max_age_s=60)
    before = len(safe.asked)
    await cache.find(f"{NAME}0", max_age_s=60)

    assert before + 1 == len(safe.asked)


def test_a_secret_is_never_in_what_is_printed() -> None:
    assert "made-up" not in repr(Kept("made-up-one", "made-up-two"))


@pytest.mark.parametrize(
    "text",
    [
        "aws:trackai/production/kiwify_secret",
        "aws:arn:aws:secretsmanager:sa-east-1:123456789012:secret:rds!db-0-AbCdEf",
        "file:kiwify_secret",
        "aws:trackai/production/tenants/acme/kiwify_secret,trackai/production/kiwify_secret",
    ],
)
def test_places_are_taken_as_they_are_said(text: str) -> None:
    assert text == reference(f" {text} ")
    assert is_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "kiwify_secret",
        "aws:",
        "aws:a b",
        "file:../etc/passwd",
        "file:/etc/passwd",
        "env:X",
        "aws:a,,b",
    ],
)
def test_other_places_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        reference(text)
