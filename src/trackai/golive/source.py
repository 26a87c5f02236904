"""The digest of the program that runs: what checks were told of is this source code, or another's.

A commit's name can be said of anything; the digest is of the very files that were imported.
"""

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

# What the program is made of; caches and what editors leave are no part of it.
KINDS = (".py", ".sql", ".toml", ".html", ".css", ".js", ".md", ".svg")
_LENGTH = 32


@cache
def source_digest() -> str:
    """Return a digest of every file of the program, by its path."""
    digest = hashlib.sha256()
    for path, content in sorted(_files(files("trackai"), "")):
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:_LENGTH]


def _files(folder: Traversable, below: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for one in folder.iterdir():
        path = f"{below}{one.name}"
        # Runbooks are brought in from the docs: a checkout has them by a link, a wheel as files.
        if one.is_dir() and one.name != "__pycache__":
            found += _files(one, f"{path}/")
        elif one.name.endswith(KINDS):
            found.append((path, one.read_bytes()))
    return found
