"""Who may do what at Amazon, out of the template: named actions for named resources."""

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
from tests.deploy.files import ROOT
from tests.infra.reading import ENDS, LISTS, ONLY_FOR_ALL, Resources, each, flat, of, statements

# Addresses of an account and region, and what is only known when the stack is made.
ACCOUNT = re.compile(r"^arn:<AWS::Partition>:([a-z]+):<AWS::Region>:<AWS::AccountId>:")
KNOWN_LATER = {
    re.compile(r"<QueuesDispatch\w+\.Arn>"): "arn:aws:sqs:REGION:ACCOUNT:capi-dispatch",
    re.compile(r"<QueuesDead\w+\.Arn>"): "arn:aws:sqs:REGION:ACCOUNT:capi-dispatch-dlq",
    re.compile(r"<Key\w+\.Arn>"): "KEY",
    re.compile(r"<DataDatabase\w+\.MasterUserSecret\.SecretArn>"): "DATABASE_SECRET",
}

pytestmark = pytest.mark.xdist_group("stack")


def test_no_role_may_do_everything(resources: Resources) -> None:
    found = list(statements(resources))

    assert len(found) > 10
    for name, one in found:
        actions, places = each(one["Action"]), [flat(place) for place in each(one["Resource"])]
        assert "Allow" == one["Effect"], name
        assert [] == [action for action in actions if "*" in action], name
        for place in places:
            if place == "*":
                assert set(actions) <= ONLY_FOR_ALL, name
            elif "*" in place or "?" in place:
                assert ENDS.search(place), (name, place)
                if place.endswith((":alarm:*", ":log-group:*")):
                    assert set(actions) <= LISTS, name


def test_roles_carry_no_ready_made_policies_and_trust_one_service(resources: Resources) -> None:
    for role in of(resources, "AWS::IAM::Role"):
        (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]

        assert role.keys().isdisjoint({"ManagedPolicyArns", "Policies"})
        assert {"Service": "ecs-tasks.amazonaws.com"} == trusted["Principal"]
        assert "aws:SourceAccount" in trusted["Condition"]["StringEquals"]


def test_no_policy_of_a_resource_lets_strangers_in(resources: Resources) -> None:
    kinds = {"AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"}
    found = [
        one
        for each_ in resources.values()
        if each_["Type"] in kinds
        for one in each_["Properties"]["PolicyDocument"]["Statement"]
    ]
    (key,) = of(resources, "AWS::KMS::Key")
    found += key["KeyPolicy"]["Statement"]

    assert len(found) >= 6
    for one in found:
        if one["Effect"] == "Allow":
            assert "*" not in json.dumps(one["Principal"])
            assert "Condition" in one or "root" in json.dumps(one["Principal"])


@pytest.mark.parametrize(
    ("kind", "may", "may_not"),
    [
        ("Api", "elasticfilesystem:ClientWrite", "sqs:ReceiveMessage"),
        ("Worker", "sqs:ReceiveMessage", "elasticfilesystem:ClientWrite"),
        ("Migrate", "secretsmanager:GetSecretValue", "sqs:ReceiveMessage"),
        ("Migrate", "secretsmanager:GetSecretValue", "logs:FilterLogEvents"),
        ("Worker", "sqs:ReceiveMessage", "logs:FilterLogEvents"),
        ("Check", "logs:FilterLogEvents", "sqs:ReceiveMessage"),
        # The page Go-live is one of the servers'.
        ("Api", "logs:FilterLogEvents", "sqs:SendMessage"),
    ],
)
def test_each_kind_of_process_may_what_it_does(
    resources: Resources, kind: str, may: str, may_not: str
) -> None:
    allowed = {
        action
        for name, one in statements(resources)
        if name.startswith(f"Services{kind}RoleDefaultPolicy")
        for action in each(one["Action"])
    }

    assert may in allowed
    assert may_not not in allowed


def test_migrations_reach_no_tenants_secret(resources: Resources) -> None:
    places = {
        flat(place)
        for name, one in statements(resources)
        if name.startswith("ServicesMigrateRole")
        for place in each(one["Resource"])
    }

    assert [] == [place for place in places if "trackai/" in place]


def told(place: str) -> str:
    """Return an address as the document has it."""
    for known, name in KNOWN_LATER.items():
        if known.fullmatch(place):
            return name
    return ACCOUNT.sub(r"arn:aws:\1:REGION:ACCOUNT:", place)


def pairs(found: Iterable[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return what is allowed, each action with each address."""
    return {
        (action, told(place))
        for one in found
        for action in each(one["Action"])
        for place in map(flat, each(one["Resource"]))
    }


def test_whoever_looks_from_elsewhere_is_given_what_the_task_has(resources: Resources) -> None:
    document = json.loads((ROOT / "deploy/aws/golive-policy.json").read_text())
    task = [
        one for name, one in statements(resources) if name.startswith("ServicesCheckRoleDefault")
    ]

    assert "2012-10-17" == document["Version"]
    assert {"Allow"} == {one["Effect"] for one in document["Statement"]}
    assert pairs(task) == pairs(document["Statement"])
