"""`make script`: t.min.js from the tracker script's parts. The program ships the result."""

from pathlib import Path

import minify

from trackai.tracker import script

TARGET = Path(script.__file__).with_name("t.min.js")


def minified() -> str:
    """Return the script without comments, blanks and long names."""
    return str(minify.string("application/javascript", script.source())) + "\n"


if __name__ == "__main__":
    TARGET.write_text(minified(), "utf-8")
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
