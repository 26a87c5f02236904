"""Who may do what at Amazon, out of the template: named actions for named resources."""

import json

import pytest
from tests.infra.reading import ENDS, ONLY_FOR_ALL, Resources, each, flat, of, statements

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
