"""Alarms and dashboard made through the API of CloudWatch, at a stand-in for Amazon."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiobotocore.session import get_session

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.cloudwatch import TRIES, CloudWatch, open_cloudwatch
from trackai.alarms.engines.cloudwatch import OWNER_TAG, Place, Wish, metric_alarms
from trackai.alarms.engines.cloudwatch_dashboard import dashboard_body
from trackai.alarms.engines.cloudwatch_plan import Difference, Kind
from trackai.alarms.message import words_of
from trackai.errors import CloudWatchUnavailable, ConfigurationError
from trackai.model.alarm import Severity
from trackai.model.clock import new_id

if TYPE_CHECKING:
    from tests.conftest import Serve

TOPIC = "arn:aws:sns:sa-east-1:123456789012:on-call"
# A few of the catalogue: the stand-in is slow.
FEW = {id_: ALARMS[id_] for id_ in ("dlq_depth", "queue_depth", "token_expiring")}


def wish(**changes: Any) -> Wish:
    """Return a wish of an installation of its own: the stand-in lasts longer than a test."""
    place = Place("test", f"https://{new_id().hex}.example.com")
    return replace(
        Wish(place, FEW, words_of("en"), {Severity.CRITICAL: [TOPIC]}),
        **changes,
    )


@pytest.fixture
async def there(amazon: dict[str, str]) -> AsyncIterator[CloudWatch]:
    assert amazon
    async with open_cloudwatch() as opened:
        yield opened


async def applied(there: CloudWatch, asked: Wish) -> None:
    assert [] == await there.apply(asked, await there.plan(asked))


async def alarm_of(there: CloudWatch, name: str) -> dict[str, Any] | None:
    found = (await there.client.describe_alarms(AlarmNames=[name]))["MetricAlarms"]
    return dict(found[0]) if found else None


async def test_the_second_apply_changes_nothing(there: CloudWatch) -> None:
    asked = wish()
    plan = await there.plan(asked)
    await there.apply(asked, plan)
    again = await there.plan(asked)

    assert {Kind.CREATE} == {one.kind for one in plan.changes}
    assert len(FEW) + 2 == len(plan.changes)  # and that nobody looks, and the dashboard
    assert ([], None, [], []) == (again.put, again.dashboard, again.delete, again.changes)


async def test_everything_of_the_catalogue_is_taken_and_comes_back_the_same(
    there: CloudWatch,
) -> None:
    asked = wish(alarms=ALARMS)
    await applied(there, asked)
    (wanted,) = (one for one in metric_alarms(asked) if one["AlarmName"].endswith("dlq_depth"))
    found = await alarm_of(there, wanted["AlarmName"])

    assert found is not None
    assert [] == (await there.plan(asked)).changes
    assert {name: value for name, value in wanted.items() if name != "Tags"} == {
        name: value for name, value in found.items() if name in wanted
    }


async def test_the_dashboard_comes_back_as_it_was_put(there: CloudWatch) -> None:
    asked = wish()
    await applied(there, asked)
    found = await there.client.get_dashboard(DashboardName=asked.place.dashboard)
    wanted = dashboard_body(asked, metric_alarms(asked), there.account)

    assert wanted == json.loads(found["DashboardBody"])
    names = {one["AlarmArn"] for one in (await _described(there, asked)).values()}
    assert names == set(wanted["widgets"][-1]["properties"]["alarms"])


async def _described(there: CloudWatch, asked: Wish) -> dict[str, Any]:
    found = await there.client.describe_alarms(AlarmNamePrefix=asked.place.prefix)
    return {one["AlarmName"]: one for one in found["MetricAlarms"]}


async def test_a_changed_threshold_is_shown_and_set(there: CloudWatch) -> None:
    asked = wish()
    await applied(there, asked)
    name = f"{asked.place.prefix}queue_depth"
    changed = replace(
        asked, alarms={**FEW, "queue_depth": replace(FEW["queue_depth"], threshold=2000)}
    )
    plan = await there.plan(changed)
    await there.apply(changed, plan)
    found = await alarm_of(there, name)

    assert [(Kind.CHANGE, name, [Difference("Threshold", 1000.0, 2000.0)])] == [
        (one.kind, one.name, one.differences) for one in plan.changes
    ]
    assert found is not None
    assert 2000 == found["Threshold"]
    assert [] == (await there.plan(changed)).changes


async def test_what_the_catalogue_has_no_more_goes_and_others_stay(there: CloudWatch) -> None:
    asked = wish()
    await applied(there, asked)
    (example, *_) = metric_alarms(asked)
    foreign = f"{asked.place.prefix}by-hand"
    await there.client.put_metric_alarm(
        **{**example, "AlarmName": foreign, "Tags": []}  # type: ignore[arg-type]  # literals
    )
    less = replace(asked, alarms={"dlq_depth": FEW["dlq_depth"]})
    await applied(there, less)
    left = await _described(there, asked)

    assert {foreign, *(f"{asked.place.prefix}{id_}" for id_ in ("dlq_depth", "nobody_looks"))} == (
        left.keys()
    )


async def test_alarms_of_another_installation_are_not_looked_at(there: CloudWatch) -> None:
    one, other = wish(), wish()
    await applied(there, one)
    await applied(there, other)
    await applied(there, replace(other, alarms={}))

    assert len(FEW) + 1 == len(await there.states(one))
    assert [] == (await there.plan(one)).changes


async def test_a_name_that_somebody_else_has_stops_everything(there: CloudWatch) -> None:
    asked = wish()
    first, *_ = metric_alarms(asked)
    tag = {"Key": OWNER_TAG, "Value": "production/other.example.com"}
    await there.client.put_metric_alarm(
        **{**first, "Tags": [tag]}  # type: ignore[arg-type]  # literals
    )

    with pytest.raises(ConfigurationError, match="taken by something"):
        await there.plan(asked)


async def test_a_dashboard_that_somebody_else_drew_stays(there: CloudWatch) -> None:
    asked = wish()
    await there.client.put_dashboard(
        DashboardName=asked.place.dashboard, DashboardBody='{"widgets": []}'
    )

    with pytest.raises(ConfigurationError, match=asked.place.dashboard):
        await there.plan(asked)


async def test_how_alarms_stand_there_is_listed(there: CloudWatch) -> None:
    asked = wish()
    await applied(there, asked)
    name = f"{asked.place.prefix}dlq_depth"
    await there.client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    found = await there.states(asked)

    assert "ALARM" == found[name]
    assert 1 == [*found.values()].count("ALARM")


@dataclass
class Refusing:
    """Amazon, saying who is asking, and no to everything else."""

    code: str
    status: int
    asked: int = 0

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        if b"Action=GetCallerIdentity" in body + message["body"]:
            await _answer(send, 200, IDENTITY, [(b"content-type", b"text/xml")])
            return
        self.asked += 1
        refusal = json.dumps({"__type": self.code, "message": "No."}).encode()
        headers = [
            (b"content-type", b"application/x-amz-json-1.0"),
            (b"x-amzn-query-error", f"{self.code};Sender".encode()),
        ]
        await _answer(send, self.status, refusal, headers)


async def _answer(send: Any, status: int, body: bytes, headers: Any) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/test</Arn><UserId>U</UserId>
<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""


@pytest.mark.parametrize(
    ("refusing", "error", "said"),
    [
        (Refusing("AccessDenied", 403), ConfigurationError, "may not do DescribeAlarms"),
        (
            Refusing("InvalidClientTokenId", 403),
            ConfigurationError,
            "not take these credentials",
        ),
        (Refusing("ExpiredToken", 403), ConfigurationError, "still valid"),
        (Refusing("ValidationError", 400), CloudWatchUnavailable, "refused DescribeAlarms"),
    ],
    ids=lambda one: one.code if isinstance(one, Refusing) else "",
)
@pytest.mark.usefixtures("amazon")
async def test_a_refusal_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
    serve: "Serve",
    refusing: Refusing,
    error: type[Exception],
    said: str,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", await serve(refusing))

    with pytest.raises(error, match=said):
        async with open_cloudwatch() as there:
            await there.plan(wish())


async def test_what_is_throttled_is_asked_a_few_times(
    amazon: dict[str, str], monkeypatch: pytest.MonkeyPatch, serve: "Serve"
) -> None:
    assert amazon
    refusing = Refusing("Throttling", 400)
    monkeypatch.setenv("AWS_ENDPOINT_URL", await serve(refusing))
    # Pauses between tries are chance of up to a second, then two, four, eight.
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", _no_pause)

    with pytest.raises(CloudWatchUnavailable, match="throttled DescribeAlarms"):
        async with open_cloudwatch() as there:
            await there.plan(wish())
    assert TRIES == refusing.asked


def _no_pause(*_arguments: object) -> float:
    return 0.0


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        ("AWS_DEFAULT_REGION", "set AWS_DEFAULT_REGION"),
        ("AWS_SECRET_ACCESS_KEY", "needs credentials"),
    ],
)
async def test_what_is_not_set_is_named(
    amazon: dict[str, str], monkeypatch: pytest.MonkeyPatch, left_out: str, said: str
) -> None:
    assert amazon
    monkeypatch.delenv(left_out)

    with pytest.raises(ConfigurationError, match=said):
        async with open_cloudwatch():
            pass


async def test_nobody_there_is_told_so(
    amazon: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert amazon
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("trackai.alarms.cloudwatch.TRIES", 1)

    with pytest.raises(CloudWatchUnavailable, match="cannot be reached"):
        async with open_cloudwatch():
            pass


DOCS = Path(__file__).parents[2] / "docs" / "alarms.md"


def policy(*left_out: str) -> str:
    """Return the documented policy as the stand-in reads it.

    It knows actions, by the service's name in addresses, and no resources.
    """
    (text,) = re.findall(r"```json\n(\{.*?\n\})\n```", DOCS.read_text(), re.DOTALL)
    found = json.loads(text)
    for statement in found["Statement"]:
        statement["Action"] = [one for one in statement["Action"] if one not in left_out]
        statement["Resource"] = "*"
    found["Statement"] = [one for one in found["Statement"] if one["Action"]]
    return json.dumps(found).replace("cloudwatch:", "monitoring:")


@asynccontextmanager
async def somebody(amazon: dict[str, str], document: str) -> AsyncIterator[Mapping[str, str]]:
    """Make a user who may do this and nothing else; meanwhile the stand-in asks who is asking."""
    name = f"user-{new_id().hex}"
    async with get_session().create_client("iam") as iam:
        await iam.create_user(UserName=name)
        await iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        key = (await iam.create_access_key(UserName=name))["AccessKey"]
    switch = f"{amazon['AWS_ENDPOINT_URL']}/moto-api/reset-auth"
    async with aiohttp.ClientSession() as http, http.post(switch, data=b"0"):
        pass
    try:
        yield {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
    finally:
        async with aiohttp.ClientSession() as http, http.post(switch, data=b"inf"):
            pass


async def test_the_documented_policy_is_enough(
    amazon: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = wish()
    async with somebody(amazon, policy()) as key:
        for name, value in key.items():
            monkeypatch.setenv(name, value)
        async with open_cloudwatch() as there:
            await applied(there, asked)
            await applied(there, replace(asked, alarms={}))
            again = await there.plan(replace(asked, alarms={}))

    assert [] == again.changes


@pytest.mark.parametrize(
    "deed", ["PutMetricAlarm", "PutDashboard", "DescribeAlarms", "ListTagsForResource"]
)
async def test_every_action_of_it_is_needed_and_named_when_it_is_not_allowed(
    amazon: dict[str, str], monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    asked = wish()
    async with open_cloudwatch() as there:
        if deed == "ListTagsForResource":
            await applied(there, asked)
    async with somebody(amazon, policy(f"cloudwatch:{deed}")) as key:
        for name, value in key.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(ConfigurationError, match=f"may not do {deed} "):
            async with open_cloudwatch() as there:
                await applied(there, asked)
