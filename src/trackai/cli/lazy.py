"""A group of commands that loads the one asked for: a command starts in half the time."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup
from typer.main import get_group
from typing_extensions import override

if TYPE_CHECKING:
    from typer._click.core import Command


def lazy_group(places: Mapping[str, str]) -> type[TyperGroup]:
    """Return a group of commands by name, each at `module:attribute`: a function or a Typer."""

    class LazyGroup(TyperGroup):
        def __init__(self, **options: object) -> None:
            super().__init__(**options)  # type: ignore[arg-type]  # typer's own, passed on
            self.commands = _Commands(places)

    return LazyGroup


class _Commands(MutableMapping[str, "Command"]):
    """Names are known at once; what they name is imported when it is looked at."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = dict(places)
        self._loaded: dict[str, Command] = {}

    @override
    def __getitem__(self, name: str) -> "Command":
        if name not in self._loaded:
            module, _, attribute = self._places[name].partition(":")
            self._loaded[name] = _command(name, getattr(import_module(module), attribute))
        return self._loaded[name]

    @override
    def __setitem__(self, name: str, command: "Command") -> None:
        self._places[name] = ""
        self._loaded[name] = command

    @override
    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._loaded.pop(name, None)

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    @override
    def __len__(self) -> int:
        return len(self._places)


def _command(name: str, found: object) -> "Command":
    host = typer.Typer()
    if isinstance(found, typer.Typer):
        host.add_typer(found, name=name)
    elif callable(found):
        host.command(name)(found)
    return get_group(host).commands[name]
