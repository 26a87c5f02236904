"""What scripts rely on: one JSON document, clean errors, exit statuses."""

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from trackai.cli.output import show

if TYPE_CHECKING:
    from tests.support.program import Place

SECRET = "a-secret-of-the-platform"
UNREACHABLE = "postgresql://nobody:hunter2@127.0.0.1:1/nowhere"


def connect_pixel(place: "Place", *more: str) -> dict[str, object]:
    found: dict[str, object] = place.json(
        *("destination", "connect", "Loja", "meta", "--pixel", "123456789012345"),
        *("--token", "EAAtoken0123456789", "--offline", *more),
    )
    return found


def test_set_up_prints_what_comes_next(place: "Place") -> None:
    tenant = place.json("tenant", "create", "Loja")
    funnel = place.json("funnel", "create", "Loja", "Principal", "--window-hours", "24")
    gateway = place.json("gateway", "connect", tenant["tenant_id"], "hotmart", "--secret", SECRET)
    pixel = connect_pixel(place)

    assert tenant["tenant_id"] == str(UUID(tenant["tenant_id"]))
    assert tenant["site_key"]
    assert funnel["attribution_window_h"] == 24
    assert re.fullmatch(
        r"http://127\.0\.0\.1:8400/api/v1/webhooks/hotmart/[\w-]{20,}", gateway["webhook_url"]
    )
    assert gateway["funnel_id"] == funnel["funnel_id"]
    assert pixel["pixel_id"] == "123456789012345"
    assert [tenant] == place.json("tenant", "list")
    assert [funnel] == place.json("funnel", "list", "Loja")
    assert [gateway] == place.json("gateway", "list", "Loja")
    assert pixel.pop("token_valid") is None
    assert "not asked" in str(pixel.pop("token"))
    (listed,) = place.json("destination", "list", "Loja")
    assert pixel.items() <= listed.items()
    assert (listed["breaker"], listed["token_valid"]) == ("closed", None)


def test_a_tenant_is_called_otherwise_and_counts_in_another_currency(
    place_with_tenant: "Place",
) -> None:
    place = place_with_tenant
    changed = place.json("tenant", "change", "Loja", "--name", "Café", "--currency", "usd")
    again = place.json("tenant", "change", "Café", "--name", "Café")
    (listed,) = place.json("tenant", "list")

    assert (changed.pop("changed"), again.pop("changed")) == (True, False)
    assert (changed["name"], changed["currency"]) == ("Café", "USD")
    assert changed == again == listed


def test_no_list_shows_a_secret_or_a_token(place_with_tenant: "Place") -> None:
    place = place_with_tenant
    place.json("gateway", "connect", "Loja", "hotmart", "--secret", SECRET)
    connect_pixel(place)
    said = (
        place.run("gateway", "list", "Loja").stdout
        + place.run("destination", "list", "Loja", "--json").stdout
    )

    assert "hotmart" in said
    assert SECRET not in said
    assert "EAAtoken" not in said


def test_a_secret_may_come_from_the_environment(place_with_tenant: "Place") -> None:
    place = place_with_tenant
    done = place.run(
        *("gateway", "connect", "Loja", "kiwify", "--json"), TRACKAI_GATEWAY_SECRET=SECRET
    )

    assert json.loads(done.stdout)["secret_set"] is True


@pytest.mark.parametrize(
    "command",
    [
        ("funnel", "list", "Loja"),
        ("gateway", "list", "Loja"),
        ("destination", "list", "Loja"),
        ("conversions", "list", "Loja"),
        ("deliveries", "list", "Loja"),
        ("deliveries", "list", "Loja", "--status", "dead"),
        ("webhooks", "list", "Loja"),
        ("webhooks", "failed", "Loja"),
        ("webhooks", "rejected", "Loja"),
    ],
    ids=" ".join,
)
def test_an_empty_list_is_an_empty_array_and_a_sentence(
    place_with_tenant: "Place", command: tuple[str, ...]
) -> None:
    as_text = place_with_tenant.run(*command)

    assert [] == place_with_tenant.json(*command)
    assert as_text.returncode == 0
    assert as_text.stdout.strip()


@pytest.mark.parametrize(
    ("command", "status", "sentence"),
    [
        (("funnel", "list", "Nobody"), 1, "trackai tenant list"),
        (("gateway", "connect", "Loja", "paypal", "--secret", "x"), 1, "Known: "),
        (("gateway", "connect", "Loja", "hotmart", "--secret", " "), 1, "blank"),
        (("gateway", "connect", "Loja", "hotmart", "--secret", "a b"), 1, "blanks in it"),
        (("gateway", "connect", "Loja", "stripe", "--secret", "sk_live_1"), 1, "whsec_"),
        (("sandbox", "webhook", "eduzz", "--url", "http://x", "--secret", "x"), 1, "Known: "),
        (("gateway", "connect", "Loja", "hotmart", "--funnel", "None"), 1, "funnel"),
        (("gateway", "secret", "Loja", "x", "--secret", "y"), 2, "UUID"),
        (("destination", "connect", "Loja", "tiktok", "--pixel", "1", "--token", "t"), 1, "meta"),
        (("destination", "connect", "Loja", "meta", "--pixel", "x", "--token", "t"), 1, "ixel"),
        (("destination", "connect", "Loja", "meta", "--pixel", "1" * 15, "--token", ""), 1, "oken"),
        (("tenant", "create", " "), 1, "1 to 200"),
        (("tenant", "create", "Loja"), 1, "Choose another name"),
        (("tenant", "change", "Loja", "--name", "x" * 201), 1, "1 to 200"),
        (("tenant", "change", "Loja", "--currency", "XXX"), 1, "no such currency"),
        (("tenant", "create", "X", "--time-zone", "Mars/Olympus"), 1, "time zone"),
        (("funnel", "create", "Loja", "X", "--window-hours", "0"), 2, "window-hours"),
        (("webhooks", "reprocess", "Loja"), 1, "--state failed"),
        (("deliveries", "attempts", "Loja", "17"), 2, "UUID"),
        (("deliveries", "list", "Loja", "--status", "lost"), 2, "status"),
        (("dance",), 2, "dance"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_wrong_command_ends_with_a_sentence_and_a_status(
    place_with_tenant: "Place", command: tuple[str, ...], status: int, sentence: str
) -> None:
    done = place_with_tenant.run(*command)

    assert status == done.returncode
    assert sentence in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_an_error_has_a_code_that_scripts_can_read(place: "Place") -> None:
    done = place.run("funnel", "list", "Nobody", "--json")

    assert done.stderr.rstrip().endswith("[unknown_tenant]")


def test_a_second_funnel_or_pixel_of_the_same_name_is_refused(place_with_tenant: "Place") -> None:
    place = place_with_tenant
    place.json("funnel", "create", "Loja", "Principal")
    connect_pixel(place)
    again = place.run("funnel", "create", "Loja", "Principal")
    pixel = place.run(
        *("destination", "connect", "Loja", "meta", "--pixel", "123456789012345", "--token", "t")
    )

    assert [1, 1] == [again.returncode, pixel.returncode]
    assert "Traceback" not in again.stderr + pixel.stderr


def test_a_name_that_two_tenants_have_names_neither(place_with_tenant: "Place") -> None:
    place = place_with_tenant
    asyncio.run(_create_tenant(place, "Loja"))  # as another way in than the command could
    done = place.run("funnel", "list", "Loja")
    ids = [tenant["tenant_id"] for tenant in place.json("tenant", "list")]

    assert done.returncode == 1
    assert all(one in done.stderr for one in ids)


async def _create_tenant(place: "Place", name: str) -> None:
    async with place.here().onboarding() as onboarding:
        await onboarding.create_tenant(name)


def test_a_second_tenant_of_the_same_name_is_refused_with_the_first_ones_id(
    place_with_tenant: "Place",
) -> None:
    (tenant,) = place_with_tenant.json("tenant", "list")
    done = place_with_tenant.run("tenant", "create", " Loja ")

    assert done.returncode == 1
    assert tenant["tenant_id"] in done.stderr


def test_the_same_secret_twice_is_one_connection(place_with_tenant: "Place") -> None:
    place = place_with_tenant
    first = place.json("gateway", "connect", "Loja", "kiwify", "--secret", SECRET)
    done = place.run("gateway", "connect", "Loja", "kiwify", "--secret", SECRET)

    assert done.returncode == 1
    assert first["connection_id"] in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("gateway", "secret", "Loja", "01a2097d-0000-7000-8000-000000000000"),
        ("destination", "connect", "Loja", "meta", "--pixel", "123456789012345"),
    ],
    ids=" ".join,
)
def test_without_a_terminal_a_secret_is_not_asked_for(
    place_with_tenant: "Place", command: tuple[str, ...]
) -> None:
    done = place_with_tenant.run(*command)

    assert done.returncode == 2
    assert re.search(r"Set TRACKAI_(GATEWAY_SECRET|DESTINATION_TOKEN) instead", done.stderr)


def test_the_version_is_said(place: "Place") -> None:
    assert re.fullmatch(r"trackai \d+\.\d+.*\n", place.run("--version").stdout)


def test_an_empty_list_of_tenants_says_which_database_is_empty(place: "Place") -> None:
    assert "the database of TRACKAI_DATABASE_URL" in place.run("tenant", "list").stdout


def test_a_terminal_too_narrow_for_a_table_gets_a_line_a_value(place_with_tenant: "Place") -> None:
    said = on_a_terminal(place_with_tenant, "tenant", "list")
    (tenant,) = place_with_tenant.json("tenant", "list")

    assert re.search(rf"tenant id +{tenant['tenant_id']}\r?\n", said)


def test_control_characters_do_not_reach_the_terminal(
    capsys: "pytest.CaptureFixture[str]",
) -> None:
    show([{"name": "Lo\x1b[31mja\nX\u202e"}], json=False, empty="Nothing.")
    said = capsys.readouterr().out

    assert not {"\x1b", "\u202e"} & set(said)
    assert len(said.splitlines()) == 2


def on_a_terminal(place: "Place", *arguments: str) -> str:
    """Run a command on a terminal of 80 columns and return what it shows."""
    ours, theirs = os.openpty()
    with (
        os.fdopen(ours, "rb", buffering=0) as screen,
        subprocess.Popen(  # noqa: S603 - our own program
            [str(Path(sys.executable).with_name("trackai")), *arguments],
            env=place.environment | {"COLUMNS": "80", "TERM": "dumb"},
            stdout=theirs,
            stdin=subprocess.DEVNULL,
        ),
    ):
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the terminal's end
            while piece := screen.read(4096):
                shown += piece
    return shown.decode()


@pytest.mark.parametrize("command", [("tenant", "list"), ("up",), ("worker",), ("migrate",)])
def test_a_database_that_is_away_is_said_without_its_password(
    place: "Place", command: tuple[str, ...]
) -> None:
    done = place.run(*command, TRACKAI_DATABASE_URL=UNREACHABLE)

    assert done.returncode in {1, 2}
    assert "database" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_said(place: "Place") -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = place.run("up", "--port", port)

    assert done.returncode == 2
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_production_without_its_key_does_not_start(place: "Place") -> None:
    done = place.run("up", TRACKAI_ENVIRONMENT="production", TRACKAI_SECRET_KEY="")

    assert done.returncode == 2
    assert "TRACKAI_SECRET_KEY" in done.stderr


def test_production_with_pending_migrations_does_not_start(
    place: "Place", empty_database_url: str
) -> None:
    production = {
        "TRACKAI_ENVIRONMENT": "production",
        "TRACKAI_PUBLIC_URL": "https://track.example.com",
        "TRACKAI_DATABASE_URL": empty_database_url,
    }
    before = place.run("up", **production)
    applied = json.loads(place.run("migrate", "--json", **production).stdout)
    again = json.loads(place.run("migrate", "--json", **production).stdout)

    assert before.returncode == 2
    assert "trackai migrate" in before.stderr
    assert applied["applied"]
    assert again == {"applied": []}


def test_a_key_is_32_bytes_and_never_the_same(place: "Place") -> None:
    keys = {place.run("secret-key").stdout.strip() for _ in range(2)}

    assert len(keys) == 2
    assert place.run("tenant", "list", TRACKAI_SECRET_KEY=keys.pop()).returncode == 0
