"""The demo by itself: exit status and last line are what others rely on."""

import json

import pytest
from tests.support.program import Place

NAMES = {
    *("clicks", "webhooks", "forged_rejected", "duplicates_ignored", "conversions", "matched"),
    *("unmatched", "accepted_by_meta", "lost", "duplicated_at_meta", "p95_webhook_to_meta_ms"),
}


@pytest.mark.xdist_group("demo")
def test_the_demo_ends_by_itself_with_every_event_accepted_once(
    embedded_place: "Place",
) -> None:
    done = embedded_place.run("demo", "--once")
    said = json.loads(done.stdout.splitlines()[-1])

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert NAMES <= said.keys()
    assert (said["lost"], said["duplicated_at_meta"]) == (0, 0)
    assert said["matched"] + said["unmatched"] == said["conversions"]
    # What the audience came for is told, not only counted.
    assert " matched " in done.stdout
    assert " accepted " in done.stdout
    assert min(said[name] for name in ("clicks", "forged_rejected", "accepted_by_meta")) > 0
