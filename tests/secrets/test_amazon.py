"""AWS Secrets Manager, at a stand-in: looked up, changed while it is used, gone, away."""

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from trackai.errors import SecretMissing, SecretUnavailable
from trackai.model.clock import new_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.safe import Amazon
    from types_aiobotocore_secretsmanager import SecretsManagerClient

    from trackai.secrets.port import Kept, Secrets

OLD, NEW = "made-up-old-secret", "made-up-new-secret"


def fresh_name() -> str:
    return f"trackai/test/{new_id()}"


async def test_a_secret_is_found_by_its_name(
    keeper: "SecretsManagerClient", secrets: "Secrets"
) -> None:
    name = fresh_name()
    await keeper.create_secret(Name=name, SecretString=f"{OLD}\n")
    found = await secrets.find(f"aws:{name}", max_age_s=60)

    assert (OLD, None) == (found.value, found.before)


async def test_a_tenants_own_goes_before_a_default(
    keeper: "SecretsManagerClient", secrets: "Secrets"
) -> None:
    own, default = fresh_name(), fresh_name()
    await keeper.create_secret(Name=default, SecretString=OLD)
    place = f"aws:{own},{default}"
    first = (await secrets.find(place, max_age_s=60)).value
    await keeper.create_secret(Name=own, SecretString=NEW)
    while (await secrets.find(place, max_age_s=0)).value != NEW:
        pass

    assert OLD == first


async def test_one_that_was_changed_is_found_with_the_one_before(
    keeper: "SecretsManagerClient", secrets: "Secrets"
) -> None:
    name = fresh_name()
    await keeper.create_secret(Name=name, SecretString=OLD)
    first = await secrets.find(f"aws:{name}", max_age_s=60)
    await keeper.put_secret_value(SecretId=name, SecretString=NEW)
    # The one before is known to the second: it is asked for again after one.
    second = await _insist(secrets, name, NEW)

    assert OLD == first.value
    assert (NEW, OLD) == (second.value, second.before)
    assert second.since is not None


async def _insist(secrets: "Secrets", name: str, value: str) -> "Kept":
    while True:
        found = await secrets.find(f"aws:{name}", max_age_s=0)
        if found.value == value:
            return found


@pytest.mark.parametrize("empty", [True, False])
async def test_no_such_secret_and_one_without_a_value_are_missing(
    keeper: "SecretsManagerClient", secrets: "Secrets", *, empty: bool
) -> None:
    name = fresh_name()
    if empty:
        await keeper.create_secret(Name=name)

    with pytest.raises(SecretMissing), capture_logs() as logs:
        await secrets.find(f"aws:{name}", max_age_s=60)
    assert [("secret.missing", f"aws:{name}")] == [(one["event"], one["kept_at"]) for one in logs]


async def test_while_amazon_is_away_the_old_value_counts(
    cloud: "Amazon", keeper: "SecretsManagerClient", secrets: "Secrets"
) -> None:
    name = fresh_name()
    await keeper.create_secret(Name=name, SecretString=OLD)
    await secrets.find(f"aws:{name}", max_age_s=60)
    cloud.go()
    with capture_logs() as logs:
        while not logs:
            assert OLD == (await secrets.find(f"aws:{name}", max_age_s=0)).value

    assert {"secret.away"} == {one["event"] for one in logs}
    assert OLD not in repr(logs)


async def test_away_before_anything_was_known_is_unavailable_without_words_of_amazon(
    cloud: "Amazon", secrets: "Secrets"
) -> None:
    cloud.go()

    with pytest.raises(SecretUnavailable) as caught:
        await secrets.find("aws:trackai/test/never", max_age_s=60)
    assert "A secret cannot be looked up for now." == str(caught.value)
    assert 0 < (caught.value.retry_after_s or 0)


async def test_without_a_region_it_is_unavailable_and_says_so(
    monkeypatch: pytest.MonkeyPatch, secrets: "Secrets"
) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SecretUnavailable) as caught:
        await secrets.find("aws:trackai/test/never", max_age_s=60)
    assert "not_set_up" == caught.value.reason


async def test_a_file_is_read_again_when_it_was_changed(tmp_path: "Path") -> None:
    from trackai.secrets.opening import open_secrets  # noqa: PLC0415

    kept = tmp_path / "kiwify_secret"
    kept.write_text(f"{OLD}\n")
    async with open_secrets(tmp_path) as secrets:
        first = await secrets.find("file:kiwify_secret", max_age_s=60)
        kept.write_text(NEW)
        while (await secrets.find("file:kiwify_secret", max_age_s=0)).value != NEW:
            pass
        with pytest.raises(SecretMissing):
            await secrets.find("file:another", max_age_s=60)

    assert OLD == first.value


async def test_without_a_directory_files_are_unavailable(secrets: "Secrets") -> None:
    with pytest.raises(SecretUnavailable):
        await secrets.find("file:kiwify_secret", max_age_s=60)
