"""What ads cost is found by what their addresses say: ids first, then names."""

import pytest

from trackai.analytics.spend import Costs, Names, Spent, Thing, name_of


def spent(campaign: Thing, ad_set: Thing, ad: Thing, minor: int = 100) -> Spent:
    return Spent(campaign, ad_set, ad, "BRL", minor)


COSTS = Costs(
    [
        spent(Thing("55", "Lançamento"), Thing("77", "Frio"), Thing("99", "Vídeo 1")),
        spent(Thing("55", "Lançamento"), Thing("77", "Frio"), Thing("98", "Vídeo 2"), 50),
        spent(Thing("55", "Lançamento"), Thing("78", "Quente"), Thing("97", "Vídeo 1"), 25),
        spent(Thing("56", "Perpétuo"), Thing("", "Frio"), Thing("", "Vídeo 1"), 10),
    ]
)
KNOWN = Names(None, "Lançamento", "Frio", "Vídeo 1")


@pytest.mark.parametrize(
    "said",
    [
        Names(None, "Lançamento|55", "Frio|77", "Vídeo 1|99"),
        Names(None, "55", "77", "99"),
        Names(None, "lançamento", " FRIO ", "vídeo 1"),
        # Renamed since: the id is believed.
        Names(None, "Antigo|55", "Outro|77", "Velho|99"),
    ],
)
def test_an_address_means_the_ad(said: Names) -> None:
    assert COSTS.known(said) == KNOWN


def test_an_ad_is_looked_for_in_its_own_campaign() -> None:
    assert COSTS.known(Names(None, "Perpétuo", "Frio", "Vídeo 1")) == Names(
        *(None, "Perpétuo", "Frio", "Vídeo 1")
    )
    assert COSTS.known(Names(None, "55", "78", "Vídeo 1")).ad_set == "Quente"


def test_what_is_not_known_stays_as_it_was_said() -> None:
    assert COSTS.known(Names(None, "Outra", "Frio", "Vídeo 1")) == Names(
        *(None, "Outra", "Frio", "Vídeo 1")
    )
    assert COSTS.known(Names(None, "55", "Novo", "Vídeo 1")) == Names(
        *(None, "Lançamento", "Novo", "Vídeo 1")
    )
    assert COSTS.known(Names("FB")) == Names("FB")
    assert COSTS.known(Names(None, "")) == Names(None, "")
    assert Costs([]).known(Names(None, "55")) == Names(None, "55")


@pytest.mark.parametrize(("depth", "rows"), [(0, 0), (1, 4), (2, 4), (3, 4)])
def test_all_that_was_spent_is_in_every_level(depth: int, rows: int) -> None:
    found = list(COSTS.by(depth))

    assert len(found) == rows
    assert sum(minor for _, _, minor in found) == (185 if depth else 0)


def test_two_of_one_name_are_told_apart_by_their_id() -> None:
    costs = Costs(
        [
            spent(Thing("1", "Teste"), Thing("", ""), Thing("", "")),
            spent(Thing("2", "Teste"), Thing("", ""), Thing("", "")),
        ]
    )

    assert {names.campaign for names, _, _ in costs.by(1)} == {"Teste|1", "Teste|2"}
    assert costs.known(Names(None, "Teste|2")).campaign == "Teste|2"


def learned(costs: Costs, *said: str) -> set[str | None]:
    """Return the names of campaigns that addresses with these words are rows of."""
    names = [Names(None, word) for word in said]
    costs.learn(names)
    return {costs.known(one).campaign for one in names}


@pytest.mark.parametrize(
    ("said", "rows"),
    [
        (["Verão", "Verão|61"], {"Verão|61"}),
        (["61", "verão ", "Verão|61"], {"Verão|61"}),
        (["Antigo|61", "Verão|61"], {"Antigo|61"}),
        # A name of two is of neither.
        (["Verão", "verão", "Verão|61", "Verão|62"], {"Verão", "Verão|61", "Verão|62"}),
        (["A | B", "A"], {"A | B", "A"}),
        (["Verão", "Inverno"], {"Verão", "Inverno"}),
        ([""], {""}),
    ],
)
def test_what_means_one_campaign_is_one_row_though_nothing_was_spent(
    said: list[str], rows: set[str]
) -> None:
    assert learned(Costs([]), *said) == rows
    assert learned(Costs([]), *reversed(said)) == rows


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Lançamento|120210000000001", "Lançamento"),
        ("a|b | 55", "a|b "),
        ("Lançamento", "Lançamento"),
        ("Lançamento|frio", "Lançamento|frio"),
        ("|55", "|55"),
        ("55", "55"),
    ],
)
def test_a_name_is_told_without_the_id_behind_it(said: str, name: str) -> None:
    assert name_of(said) == name


def test_ad_sets_and_ads_are_one_below_a_campaign_that_is_one() -> None:
    said = [
        Names(None, "Verão", "Frio|77", "Vídeo"),
        Names(None, "Verão|61", "Frio", "Vídeo|99"),
        Names(None, "61", "77", "99"),
    ]
    costs = Costs([])
    costs.learn(said)

    assert {costs.known(one) for one in said} == {Names(None, "Verão|61", "Frio|77", "Vídeo|99")}


def test_an_address_that_anybody_makes_up_takes_nothing_from_what_was_paid_for() -> None:
    costs = Costs([spent(Thing("55", "Verão"), Thing("", ""), Thing("", ""))])

    # Another id is another campaign, whatever its name.
    assert learned(costs, "Verão|999", "Verão", "Verão|55") == {"Verão|999", "Verão"}
    assert costs.known(Names(None, "Verão|55")).campaign == "Verão"


def test_a_campaign_is_one_whatever_the_files_call_it() -> None:
    ads = (Thing("", ""), Thing("", ""))
    costs = Costs(
        [
            spent(Thing("", "Verão"), *ads),
            spent(Thing("55", "Verão"), *ads),
            # Newest first: this is what it was called before.
            spent(Thing("55", "Teste"), *ads),
        ]
    )

    assert {names.campaign for names, _, _ in costs.by(1)} == {"Verão"}
    assert costs.known(Names(None, "Teste|55")).campaign == "Verão"
