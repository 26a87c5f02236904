"""Asks for what must not stand on a command line."""

import sys

import typer

from trackai.errors import ConfigurationError
from trackai.secrets.port import reference

PLACE_HELP = (
    "Where it is kept, in place of the value: aws:NAME of AWS Secrets Manager, or file:NAME in "
    "TRACKAI_SECRETS_DIR. Changed there, it is used without a restart."
)


def given(value: str | None, place: str | None, what: str, *, variable: str) -> str:
    """Return a reference to a place that was named, else a value as `hidden` does."""
    return hidden(value, what, variable=variable) if place is None else reference(place)


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
