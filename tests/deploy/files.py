"""The files that put the product on a server, read as what they are."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from trackai.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SCHEMAS = Path(__file__).parent / "schemas"
# What a process may take to end: requests under way, then the jobs' step, then the last traces.
LONGEST_END_S = 20 + 30 + 3
SETTINGS = frozenset(f"{PREFIX}{name.upper()}" for name in Settings.model_fields)
SECRETS = frozenset(
    f"{PREFIX}{name.upper()}"
    for name, field in Settings.model_fields.items()
    if SecretStr in getattr(field.annotation, "__args__", ())
)


def read_yaml(path: Path) -> list[Any]:
    """Return the documents of a file."""
    return [one for one in yaml.safe_load_all(path.read_text()) if one is not None]


def variables(path: Path) -> dict[str, str]:
    """Return what a file of variables sets, and what it would, but for the sign before it."""
    lines = [line.lstrip("#") for line in path.read_text().splitlines() if "=" in line]
    return dict(line.split("=", 1) for line in lines)
