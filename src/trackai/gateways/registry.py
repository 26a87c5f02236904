"""The one list of gateways: every folder here with a `gateway.py`, plus plugins when asked for."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

import trackai.gateways
from trackai.errors import UnknownGateway
from trackai.gateways.port import Gateway

PLUGIN_GROUP = "trackai.gateways"


@cache
def gateways(*, plugins: bool = False) -> Mapping[str, Gateway]:
    """Return name -> gateway; installed plugins join, and may not replace, the built-in ones."""
    found: dict[str, Gateway] = {}
    for module in pkgutil.iter_modules(trackai.gateways.__path__):
        if module.ispkg:
            adapter = importlib.import_module(f"trackai.gateways.{module.name}.gateway")
            found[adapter.GATEWAY.name] = adapter.GATEWAY
    if plugins:
        for entry in entry_points(group=PLUGIN_GROUP):
            plugin: Gateway = entry.load()
            found.setdefault(plugin.name, plugin)
    return MappingProxyType(dict(sorted(found.items())))


def titles() -> Mapping[str, str]:
    """Return name -> what people call it, of the built-in gateways."""
    return {name: one.title for name, one in gateways().items()}


def gateway(name: str, *, plugins: bool = False) -> Gateway:
    """Return the gateway of this name; UnknownGateway names those that exist."""
    known = gateways(plugins=plugins)
    try:
        return known[name]
    except KeyError:
        raise UnknownGateway(f"There is no such gateway. Known: {', '.join(known)}.") from None
