"""Words of ads' addresses: those that name a person are none, however they are written."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.world import World

PEOPLE = [
    *("ana@exemplo.com.br", "ana%40exemplo.com.br", "ana%2540exemplo.com.br"),
    *("ana%252540exemplo.com", "ana\uff20exemplo.com.br", "ana%EF%BC%A0exemplo.com"),
    *("5f4dcc3b5aa765d61d8327deb882cf99", "lista-5F4DCC3B5AA765D61D8327DEB882CF99"),
    "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
    "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
    *("11987654321", "5511987654321", "+5511987654321", "+55 11 98765-4321", "(11) 98765-4321"),
    *("11 98765 4321", "tel:+5511987654321", "%2B5511987654321", "551132654321", "+1 212 555 0123"),
    *("whatsapp:+5511987654321", "0055 11 98765-4321", "55%2011%2098765%204321"),
    *("52998224725", "529.982.247-25", "529.982.247/25", "529 982 247 25"),
]
WORDS = [
    *("Lançamento|120210000000000001", "120210000000000001", "Frio 01/11", "2026-11-28", "v2"),
    # Google's numbers of campaigns, groups and ads.
    *("20123456789", "21034567891", "9876543210", "634512345678901", "14234567891"),
    *("black-friday-2026", "utm_{{campaign.name}}", "24h", "100%", "{{ad.id}}", "cafe", "deadbeef"),
    "01/11/2026 - 30/11/2026",
]


async def _said(world: "World", words: list[str]) -> dict[str, str]:
    async with world.workers.transaction() as tx:
        rows = await tx.fetch(
            "select word, trackai_campaign_word(word) as said from unnest($1::text[]) as w (word)",
            words,
        )
    return {row["word"]: row["said"] for row in rows}


async def test_what_names_a_person_is_no_word(world: "World") -> None:
    assert await _said(world, PEOPLE) == dict.fromkeys(PEOPLE, "")


async def test_names_and_numbers_of_ads_stay(world: "World") -> None:
    assert await _said(world, WORDS) == {word: word for word in WORDS}


async def test_nothing_is_no_word(world: "World") -> None:
    async with world.workers.transaction() as tx:
        (row,) = await tx.fetch("select trackai_campaign_word(null) as said")

    assert row["said"] == ""
