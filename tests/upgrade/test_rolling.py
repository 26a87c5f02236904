"""The previous release and this one side by side on one database, under load: nothing is lost."""

from pathlib import Path

import pytest
from tests.support.module import last_object_of
from upgrade.release import PREVIOUS_SCHEMA, ROOT, NoHistory

from trackai.storage.schema import revisions
from upgrade import release

LONGEST_S = 900
NOTHING = dict.fromkeys(("lost", "duplicated", "stuck", "miscounted", "problems"), 0)


def test_the_previous_release_has_the_schema_it_is_said_to_have(previous: Path) -> None:
    versions = previous / "src" / "trackai" / "storage" / "migrations" / "versions"
    names = sorted(path.stem for path in versions.glob("*.sql"))

    assert PREVIOUS_SCHEMA == names[-1]
    assert names == revisions()[: len(names)]
    # What was released is never changed.
    now = ROOT / "src" / "trackai" / "storage" / "migrations" / "versions"
    assert [] == [
        path.name
        for path in versions.glob("*.sql")
        if path.read_bytes() != (now / path.name).read_bytes()
    ]


def test_a_checkout_without_the_history_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "PREVIOUS", "0" * 40)

    with pytest.raises(NoHistory, match="git fetch --unshallow"):
        release.bring_previous(tmp_path)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.xdist_group("rolling")
def test_a_rollout_and_its_way_back_under_load_lose_and_double_nothing(previous: Path) -> None:
    assert previous.is_dir()
    found = last_object_of("upgrade", within_s=LONGEST_S)

    assert NOTHING == {name: found[name] for name in NOTHING}
    assert found["webhooks"] >= found["conversions"] == found["accepted"] > 0
    assert min(found["served"]["previous"], found["served"]["current"]) > 0
    assert min(found["worked"]["previous"], found["worked"]["current"]) > 0
