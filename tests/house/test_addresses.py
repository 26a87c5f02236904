"""Who opens connections to where, and who may have written the address."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "trackai"

# Each module that can reach out, and whose word it is where to. An address that somebody at a
# tenant may have written goes through tracker/public_web.py and nowhere else.
REACHES = {
    "tracker/public_web.py": "anybody's: judged, pinned and bounded (SSRF)",
    "destinations/http.py": "ours: Meta's host, or the operator's for a sandbox",
    "alarms/certificate.py": "the operator's: the public address",
    "alarms/cloudwatch.py": "Amazon's",
    "backups/s3.py": "Amazon's",
    "queue/sqs_client.py": "Amazon's",
    "secrets/amazon.py": "Amazon's",
    "operations/golive/amazon.py": "Amazon's",
    "operations/golive/infrastructure.py": "the operator's: the public address",
    "operations/smoke.py": "the operator's: the deployment that is tried",
    "cli/smoke.py": "the operator's: the deployment that is tried",
    "cli/rehearsal/customer.py": "ours: this program, in a rehearsal",
    "cli/rehearsal/tls.py": "ours: this program, in a rehearsal",
    "mail/smtp.py": "the operator's",
    "storage/dumps.py": "the operator's database",
    "storage/migrate.py": "the operator's database",
    "storage/pool.py": "the operator's database",
    "storage/schema.py": "the operator's database",
    "storage/snapshots.py": "the operator's database",
    "storage/wakeups.py": "the operator's database",
    "cli/demo/command.py": "ours: this program, in the demo",
    "cli/practice.py": "ours: this program, outside production",
    "cli/probe.py": "ours: this program, beside the command",
    "cli/sandbox.py": "the operator's: a webhook made up for a trial",
}
# What stands at the beginning of a link, in templates.
OWN_LINKS = {
    *(
        "static",
        "base",
        "action",
        "page",
        "path",
        "place.path",
        "card.to",
        "way.to",
        "setup.address",
        "step.to",
    ),
    "picture",  # data of ours: what an authenticator reads
}
# Libraries that open connections.
OPENS = {
    *("aiohttp", "aiobotocore", "asyncpg", "aiosmtplib", "smtplib", "ftplib", "telnetlib"),
    *("urllib.request", "http.client", "httpx", "requests", "socket", "ssl", "xmlrpc.client"),
}
# These listen, name errors or this machine, and connect to nothing.
QUIET = {
    *("app.py", "worker.py", "cli/http.py", "cli/serve.py", "cli/traces.py"),
    "storage/connect_errors.py",
}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _opens(name: str) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in OPENS)


def test_only_known_modules_can_reach_out() -> None:
    found = {
        str(path.relative_to(SRC))
        for path in SRC.rglob("*.py")
        if "sandbox" not in path.parts and any(map(_opens, _imports(path)))
    }

    assert set() == found - REACHES.keys() - QUIET
    assert set() == (REACHES.keys() | QUIET) - found


def test_addresses_of_strangers_have_one_way_out() -> None:
    uses = {
        str(path.relative_to(SRC))
        for path in SRC.rglob("*.py")
        if any(name == "trackai.tracker.public_web" for name in _imports(path))
    }

    # Pages that are looked at, alarms by webhook and by Slack; and who hands it to them.
    assert {"dashboard/trying.py", "alarms/ways/webhook.py", "alarms/ways/slack.py"} <= uses
    assert [one for one, whose in REACHES.items() if whose.startswith("anybody")] == [
        "tracker/public_web.py"
    ]


def test_no_page_links_to_an_address_that_was_sent_to_us() -> None:
    links = re.compile(r'(?:href|src|action)="\{\{\s*([\w.]+)')
    found = {
        name
        for path in (SRC / "dashboard" / "templates").glob("*.html")
        for name in links.findall(path.read_text())
    }

    # What pages make themselves. A page's or a checkout's address would be one of a stranger's.
    assert found == OWN_LINKS
