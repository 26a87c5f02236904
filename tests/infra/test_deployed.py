"""The template, as it is, taken by a stand-in for CloudFormation, and what came of it.

moto passes over what it does not know and says CREATE_COMPLETE all the same. So what it made is
compared with the template, and what it passes over has a name here.
"""

import json
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.session import get_session
from tests.infra.conftest import STACK

from trackai.alarms.catalogue import watched
from trackai.alarms.engines.cloudwatch import Place, Wish, metric_alarms
from trackai.alarms.message import words_of

if TYPE_CHECKING:
    from types_aiobotocore_cloudformation import CloudFormationClient

pytestmark = [
    pytest.mark.xdist_group("stack"),
    # It says so, and passes over it.
    pytest.mark.filterwarnings("ignore:Tried to parse"),
]

# What moto 5.2 does not know. A newer one that knows more fails here, which is the point.
PASSED_OVER = frozenset(
    {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::CloudWatch::Alarm",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SecretsManager::Secret",
        "AWS::WAFv2::WebACL",
        "AWS::WAFv2::WebACLAssociation",
    }
)


async def test_everything_but_what_the_stand_in_passes_over_is_made(
    deployed: "CloudFormationClient", resources: dict[str, dict[str, Any]]
) -> None:
    made: dict[str, str] = {}
    async for page in deployed.get_paginator("list_stack_resources").paginate(StackName=STACK):
        for one in page["StackResourceSummaries"]:
            made[one["LogicalResourceId"]] = one["ResourceType"]
    # What it passes over is listed, without a name.
    made.pop("", None)
    wanted = {name: one["Type"] for name, one in resources.items()}
    missing = {name: kind for name, kind in wanted.items() if name not in made}

    assert PASSED_OVER == set(missing.values())
    assert {name for name, kind in wanted.items() if kind not in PASSED_OVER} == made.keys()


async def test_queues_are_there_and_before_the_first_migration_nothing_runs(
    deployed: "CloudFormationClient",
) -> None:
    (stack,) = (await deployed.describe_stacks(StackName=STACK))["Stacks"]
    told = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    assert "CREATE_COMPLETE" == stack["StackStatus"]
    session = get_session()
    async with session.create_client("sqs") as queues, session.create_client("ecs") as tasks:
        url = (await queues.get_queue_url(QueueName="capi-dispatch"))["QueueUrl"]
        queue = await queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        services = await tasks.describe_services(
            cluster=told["ClusterIs"], services=["api", "worker"]
        )

    redrive = json.loads(queue["Attributes"]["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"].endswith(":capi-dispatch-dlq")
    assert {"api": 0, "worker": 0} == {
        one["serviceName"]: one["desiredCount"] for one in services["services"]
    }


@pytest.mark.usefixtures("cloud")
async def test_alarms_that_it_passes_over_are_taken_by_cloudwatch_itself() -> None:
    wish = Wish(
        Place("production", "https://track.example.com"),
        watched(production=True),
        words_of("en"),
    )
    rows = metric_alarms(wish)
    wanted = {row["AlarmName"] for row in rows}
    async with get_session().create_client("cloudwatch") as watch:
        for row in rows:
            await watch.put_metric_alarm(**row)  # type: ignore[arg-type] # it takes literals
        found = [
            one["AlarmName"]
            async for page in watch.get_paginator("describe_alarms").paginate()
            for one in page["MetricAlarms"]
        ]

    # Other tests have alarms of theirs at the same stand-in.
    assert wanted == wanted & set(found)
