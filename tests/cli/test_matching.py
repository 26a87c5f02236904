"""The tag for pages, how a funnel matches, and why a sale is matched, from the command line."""

from typing import TYPE_CHECKING

import pytest

from trackai.gateways.registry import gateways
from trackai.tracker.script import build_script

if TYPE_CHECKING:
    from tests.support.program import Place


def test_the_tag_names_the_tenants_key(place_with_tenant: "Place") -> None:
    (tenant,) = place_with_tenant.json("tenant", "list")
    funnel = place_with_tenant.json("funnel", "create", "Loja", "main")
    done = place_with_tenant.run("tag", "Loja", "--funnel", "main", "--consent", "wait", "--pinned")

    version = build_script(gateways().values()).version
    assert done.stdout.strip() == (
        f'<script async src="http://127.0.0.1:8400/t.{version}.js"'
        f' data-site-key="{tenant["site_key"]}" data-funnel="{funnel["funnel_id"]}"'
        ' data-consent="wait"></script>'
    )


def test_a_funnel_can_be_changed_and_that_is_audited(place_with_tenant: "Place") -> None:
    place_with_tenant.json("funnel", "create", "Loja", "main")
    changed = place_with_tenant.json(
        *("funnel", "change", "Loja", "main", "--attribution", "first_click"),
        *("--visitor-minutes", "30", "--window-hours", "24"),
    )
    again = place_with_tenant.json("funnel", "change", "Loja", "main", "--window-hours", "48")
    audit = place_with_tenant.json("audit", "list", "Loja")

    assert (changed["attribution"], changed["visitor_window_min"]) == ("first_click", 30)
    assert (again["attribution"], again["attribution_window_h"]) == ("first_click", 48)
    assert [again] == place_with_tenant.json("funnel", "list", "Loja")
    assert ["funnel.change", "funnel.change"] == [one["action"] for one in audit][:2]


def test_a_funnel_can_be_called_by_another_name(place_with_tenant: "Place") -> None:
    place_with_tenant.json("funnel", "create", "Loja", "main")
    place_with_tenant.json("funnel", "create", "Loja", "other")
    changed = place_with_tenant.json("funnel", "change", "Loja", "main", "--name", "Curso 2027")
    taken = place_with_tenant.run("funnel", "change", "Loja", "other", "--name", "Curso 2027")
    blank = place_with_tenant.run("funnel", "change", "Loja", "other", "--name", " ")
    (deed, *_) = place_with_tenant.json("audit", "list", "Loja")

    assert changed["name"] == "Curso 2027"
    assert (taken.returncode, "of this name already" in taken.stderr) == (1, True)
    assert (blank.returncode, "1 to 200 characters" in blank.stderr) == (1, True)
    assert deed["details"]["now"]["name"] == "Curso 2027"
    assert deed["details"]["before"]["name"] == "main"


@pytest.mark.parametrize(
    "named", ["kiwify:nothing", "nothing", "01890000-0000-7000-8000-000000000001"]
)
def test_a_sale_that_is_not_there_is_said(place_with_tenant: "Place", named: str) -> None:
    done = place_with_tenant.run("explain", "Loja", named)

    assert done.returncode == 1
    assert "no such conversion" in done.stderr
