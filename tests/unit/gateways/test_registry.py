"""The list of gateways is what lies in the folder."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import trackai.gateways
from trackai.errors import UnknownGateway
from trackai.gateways import registry

PLUGINS = "trackai.gateways"
ADAPTER = """
class Nova:
    name = "nova"
    title = "Nova"
    click_parameters = ("nv",)

GATEWAY = Nova()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """One more folder of gateways, forgotten afterwards."""
    monkeypatch.setattr(trackai.gateways, "__path__", [*trackai.gateways.__path__, str(tmp_path)])
    registry.gateways.cache_clear()
    yield tmp_path
    registry.gateways.cache_clear()
    for name in [name for name in sys.modules if name.startswith("trackai.gateways.nova")]:
        del sys.modules[name]


def test_the_built_in_gateways_are_found_by_name() -> None:
    assert list(registry.gateways()) == ["cakto", "hotmart", "kiwify", "perfectpay", "stripe"]
    assert {name: found.name for name, found in registry.gateways().items()} == {
        name: name for name in registry.gateways()
    }


def test_a_new_folder_is_all_it_takes(folder: Path) -> None:
    (folder / "nova").mkdir()
    (folder / "nova" / "__init__.py").write_text("")
    (folder / "nova" / "gateway.py").write_text(ADAPTER)

    assert registry.gateway("nova").title == "Nova"
    assert {"nova", "stripe"} < set(registry.gateways())


def test_installed_plugins_join_and_replace_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    nova = SimpleNamespace(name="nova")
    impostor = SimpleNamespace(name="stripe")
    entries = [SimpleNamespace(load=lambda: nova), SimpleNamespace(load=lambda: impostor)]
    monkeypatch.setattr(registry, "entry_points", lambda *, group: entries * (group == PLUGINS))
    registry.gateways.cache_clear()
    found = registry.gateways(plugins=True)
    registry.gateways.cache_clear()

    assert found["nova"] is nova
    assert found["stripe"].title == "Stripe"
    assert "nova" not in registry.gateways()


def test_an_unknown_gateway_is_told_which_ones_exist() -> None:
    with pytest.raises(UnknownGateway, match="cakto, hotmart, kiwify, perfectpay, stripe"):
        registry.gateway("paypal")
