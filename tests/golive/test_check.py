"""The checklist on an installation."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.golive.conftest import Ground


async def test_x(alive: "Ground") -> None:
    await alive.json("smoke", "--url", alive.url, "--tenant", "Loja")
    status, text = await alive.give("golive", "check")
    print(text)
    assert status == 5
