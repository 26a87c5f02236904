"""What a flag says of a tenant."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from trackai.model.flag import OffMode, Rule, Verdict, Why, bucket_of, verdict_of

KEY = "gateway.kiwify"
TENANTS = [UUID(int=number) for number in range(20_000)]
ONE = TENANTS[7]
PERCENT = st.integers(0, 100)


def on(rule: Rule | None, tenant: UUID = ONE, own: Rule | None = None, key: str = KEY) -> bool:
    return verdict_of(key, tenant, rule, own).on


def test_what_nobody_spoke_of_is_on() -> None:
    assert Verdict(on=True, why=Why.DEFAULT) == verdict_of(KEY, ONE, None, None)


def test_a_tenant_stands_where_it_always_stood() -> None:
    # Written down once: another number here would turn tenants on and off everywhere.
    assert [9432, 3078, 7824] == [bucket_of(KEY, UUID(int=number)) for number in range(3)]


def test_so_many_of_a_hundred_are_on() -> None:
    for percent in (1, 5, 25, 50, 99):
        share = sum(on(Rule(percent), one) for one in TENANTS) / len(TENANTS)

        # Four standard deviations of a fair draw, at most 1.5 points.
        assert abs(share - percent / 100) < 4 * (percent * (100 - percent)) ** 0.5 / 100 / 141


def test_tenants_are_spread_evenly() -> None:
    tenths = [0] * 10
    for one in TENANTS:
        tenths[bucket_of(KEY, one) // 1000] += 1

    assert all(1800 < number < 2200 for number in tenths)


@given(tenant=st.uuids(), percents=st.tuples(PERCENT, PERCENT).map(sorted))
def test_a_larger_part_turns_nobody_off(tenant: UUID, percents: list[int]) -> None:
    less, more = percents

    assert on(Rule(more), tenant) or not on(Rule(less), tenant)


@given(tenant=st.uuids())
def test_all_is_everybody_and_none_is_nobody(tenant: UUID) -> None:
    assert on(Rule(100), tenant)
    assert not on(Rule(0), tenant)


def test_flags_do_not_begin_with_the_same_tenants() -> None:
    first = {one for one in TENANTS if on(Rule(10), one)}
    other = {one for one in TENANTS if on(Rule(10), one, key="gateway.hotmart")}

    assert len(first & other) < 0.2 * len(first)


@given(percent=PERCENT, own=st.sampled_from([0, 100]))
def test_a_tenants_own_rule_counts_before_everybodys(percent: int, own: int) -> None:
    verdict = verdict_of(KEY, ONE, Rule(percent), Rule(own, OffMode.REJECT))

    assert (own == 100, Why.OWN, OffMode.REJECT) == (verdict.on, verdict.why, verdict.off_mode)


@given(percent=PERCENT, own=st.sampled_from([None, Rule(0), Rule(100)]), tenant=st.uuids())
def test_the_kill_switch_counts_before_all(percent: int, own: Rule | None, tenant: UUID) -> None:
    everybodys = Rule(percent, OffMode.REJECT, killed=True)

    assert Verdict(on=False, why=Why.KILLED, off_mode=OffMode.REJECT) == verdict_of(
        KEY, tenant, everybodys, own
    )


def test_a_verdict_says_what_it_rests_on() -> None:
    whys = {percent: verdict_of(KEY, ONE, Rule(percent), None).why for percent in (0, 30, 100)}

    assert {0: Why.EVERYBODY, 30: Why.SHARE, 100: Why.EVERYBODY} == whys
