"""t.js as browsers get it: the minified script, with the table of checkouts filled in.

The source is in `parts/`, in the order of PARTS; `make script` makes `t.min.js` of it, which is
committed, so that nobody needs a minifier to run the program. Its version is a hash of what it
says: an address with the version in it never changes its meaning.
"""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

import msgspec

from trackai.gateways.port import Gateway

# One function's body, in this order.
PARTS = (
    "safe",
    "options",
    "storage",
    "ids",
    "identity",
    "reports",
    "click",
    "checkouts",
    "leads",
    "page",
    "api",
)
# What stands where the table goes, in the source and minified alike.
PLACEHOLDER = '"GATEWAYS"'

_VERSION_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Script:
    """The script's bytes, plain and gzipped, and the version that names them."""

    plain: bytes
    gzipped: bytes
    version: str


def source() -> str:
    """Return the script as people wrote it, with comments, before the table is filled in."""
    folder = files(__package__) / "parts"
    texts = [(folder / f"{name}.js").read_text("utf-8") for name in PARTS]
    # A guest's mistake stays in its room: whatever goes wrong at the start is nobody's concern.
    return "".join(('(()=>{"use strict";try{\n', *texts, "}catch{}})();\n"))


def build_script(gateways: Iterable[Gateway]) -> Script:
    """Return the script for these payment platforms."""
    table = {one.name: (one.checkout_hosts, one.click_parameters) for one in gateways}
    minified = (files(__package__) / "t.min.js").read_text("utf-8")
    plain = minified.replace(PLACEHOLDER, msgspec.json.encode(table).decode(), 1).encode()
    return Script(
        plain=plain,
        gzipped=gzip.compress(plain, 9, mtime=0),
        version=sha256(plain).hexdigest()[:_VERSION_LENGTH],
    )
