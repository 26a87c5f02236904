"""`python -m infra`: makes the template; `python -m infra rollout`: brings a version there."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from trackai.errors import ConfigurationError

OUT = Path("infra/out")


def main(given: Sequence[str] | None = None) -> int:
    """Do what is asked; 1 when it went wrong, 2 when it was asked wrongly."""
    asked = _arguments().parse_args(given)
    try:
        if asked.command == "rollout":
            return _roll_out(asked)
        return _synthesize(asked)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2


def _arguments() -> argparse.ArgumentParser:
    asked = argparse.ArgumentParser(prog="python -m infra", description=__doc__)
    commands = asked.add_subparsers(dest="command", required=True)
    synth = commands.add_parser("synth", help="make the template, and say what it may cost")
    synth.add_argument("--environment", default="production")
    synth.add_argument("--url", default="https://track.example.com")
    synth.add_argument("--language", default="en", choices=["en", "pt"])
    synth.add_argument("--out", type=Path, default=OUT)
    rollout = commands.add_parser("rollout", help="migrate, then replace servers and workers")
    rollout.add_argument("--environment", default="production")
    rollout.add_argument("--tag", required=True, help="of the image, in Amazon ECR")
    rollout.add_argument("--minutes", type=float, default=45.0, help="longest it may take")
    return asked


def _synthesize(asked: argparse.Namespace) -> int:
    # Rolling out needs neither node nor the construct library.
    from infra.choices import Choices  # noqa: PLC0415
    from infra.costs import table  # noqa: PLC0415
    from infra.stack import synthesize  # noqa: PLC0415

    choices = Choices(asked.environment, asked.url.rstrip("/"), asked.language)
    path, template = synthesize(choices, asked.out)
    parameters = template["Parameters"]
    print(f"{path}\n\nParameters:")
    for name, one in parameters.items():
        default = f" [{one['Default']}]" if "Default" in one else ""
        print(f"  {name:16} {one['Description']}{default}")
    print()
    print(table(template, parameters["DatabaseClass"]["Default"]))
    return 0


def _roll_out(asked: argparse.Namespace) -> int:
    from infra.rollout import Wish, roll_out  # noqa: PLC0415

    return asyncio.run(roll_out(Wish(asked.environment, asked.tag, asked.minutes * 60), print))


if __name__ == "__main__":
    sys.exit(main())
