"""The previous release's source, from this checkout's history."""

import os
from pathlib import Path

import pytest
from upgrade.release import NoHistory, bring_previous


@pytest.fixture(scope="session")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the previous release's source; where the history lacks it there is nothing to try."""
    try:
        return bring_previous(tmp_path_factory.mktemp("previous"))
    except NoHistory as error:
        # .ci/run asks for it wherever there is a history.
        if os.environ.get("TRACKAI_TEST_UPGRADE") == "required":  # noqa: TID251 - a test's switch
            raise
        pytest.skip(str(error))
