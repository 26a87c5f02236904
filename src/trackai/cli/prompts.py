"""Asks for what must not stand on a command line."""

import sys

import typer

from trackai.errors import ConfigurationError


def hidden(given: str | None, what: str, *, variable: str) -> str:
    """Return what was given, else what is typed unseen; without a terminal say how to give it."""
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"There is no terminal to ask for the {what.lower()} on. Set {variable} instead."
        )
    typed: str = typer.prompt(what, hide_input=True)
    return typed
