"""What the doctor says of calls: whether letters can go out."""

from pathlib import Path
from typing import TYPE_CHECKING

from tests.alarms.conftest import sender_of

from trackai.alarms.choices import NewRoute
from trackai.model.alarm import RouteKind
from trackai.operations.alarms import alarms
from trackai.operations.findings import Patient, State
from trackai.storage.alarm_calls import LEFT_FOR

if TYPE_CHECKING:
    from tests.alarms.conftest import Tower

    from trackai.destinations.http import Http


async def found(tower: "Tower", *, mail: bool) -> list[tuple[State, str]]:
    """Return what the doctor says of letters, by settings with a mail server or without."""
    world = tower.world
    patient = Patient(
        *(world.workers, world.envelope, None, world.clock, Path(), None, []), mail=mail
    )
    return [(one.state, one.found) for one in await alarms(patient) if one.check == "alarm mail"]


async def test_letters_need_a_mail_server_and_without_routes_none(tower: "Tower") -> None:
    await tower.look()
    nobody = await found(tower, mail=False)
    await tower.choices().add_route(NewRoute(RouteKind.EMAIL, "ops", "ops@example.com"))

    assert [] == nobody == await found(tower, mail=True)
    assert [
        (State.WARNING, "routes by e-mail: 1; these settings name no mail server")
    ] == await found(tower, mail=False)


async def test_a_process_that_had_a_letter_and_no_mail_server_is_told_of(
    tower: "Tower", http: "Http"
) -> None:
    await tower.choices().add_route(NewRoute(RouteKind.EMAIL, "ops", "ops@example.com"))
    able, tower.sender = tower.sender, sender_of(tower.world, http, "http://127.0.0.1:9", None)
    await tower.look(2, cpu_percent=95)
    tower.world.clock.forward(seconds=LEFT_FOR.total_seconds())
    await tower.look(0, cpu_percent=95)
    missed = await found(tower, mail=True)
    tower.sender = able
    await tower.look(2, cpu_percent=95)

    assert [(State.FAILED, "calls by e-mail that a process without a mail server had: 1")] == missed
    assert [] == await found(tower, mail=True)
