"""What the checklist asks of Amazon is what whoever looks at it is allowed, and nothing else."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.client import AioBaseClient
from aiobotocore.session import get_session
from tests.deploy.files import ROOT
from tests.golive.stage import Stage

from trackai.model.clock import new_id
from trackai.queue.sqs_client import SqsNames, create_queues, open_sqs
from trackai.secrets.opening import open_secrets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

POLICY = ROOT / "deploy/aws/golive-policy.json"
# Everybody may ask who they are: no policy gives that, and none takes it away.
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
FREE = {"sts:GetCallerIdentity"}
# Values are sealed with our key; Amazon opens it in the caller's name.
BEHIND = {"secretsmanager:GetSecretValue": {"kms:Decrypt"}}
ITEMS = ("queues", "pager", "logs", "critical")


def allowed() -> set[str]:
    found = json.loads(POLICY.read_text())["Statement"]
    actions = [one["Action"] for one in found]
    return {name for one in actions for name in ([one] if isinstance(one, str) else one)}


@pytest.mark.usefixtures("amazon")
async def test_the_policy_allows_what_is_asked_and_nothing_else(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = SqsNames(f"q-{new_id().hex}", f"d-{new_id().hex}")
    secret, group = f"trackai/{new_id().hex}", f"/trackai/{new_id().hex}/"
    async with open_sqs() as queues:
        await create_queues(queues, names)
    async with get_session().create_client("secretsmanager") as keeper:
        await keeper.create_secret(Name=secret, SecretString="hush")
    async with get_session().create_client("logs") as writer:
        await writer.create_log_group(logGroupName=f"{group}worker")
    stage.changes |= {"sqs": (names.queue, names.dead), "calls_elsewhere": True}
    stage.changes |= {"keeps_logs": False, "log_groups": group}
    asked: set[str] = set()
    # The types leave it out: every call of every client goes through it.
    call: Callable[..., Awaitable[Any]] = AioBaseClient._make_api_call  # type: ignore[attr-defined]

    async def noted(self: AioBaseClient, name: str, given: Any) -> Any:
        asked.add(f"{self.meta.service_model.service_name}:{name}")
        return await call(self, name, given)

    monkeypatch.setattr(AioBaseClient, "_make_api_call", noted)
    said = {item: (await stage.verdict(item)).evidence for item in ITEMS}
    async with open_secrets(None) as secrets:
        await secrets.find(f"aws:{secret}", max_age_s=0)

    assert {"not_asked"}.isdisjoint({one.said for one in said.values() if one})
    behind = {more for one in asked for more in BEHIND.get(one, ())}
    assert allowed() == (asked | behind) - FREE
