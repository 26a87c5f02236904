"""A template, read: resources by kind, addresses as text, what roles may do."""

import re
from collections.abc import Iterator
from typing import Any

Resources = dict[str, dict[str, Any]]

# Actions that Amazon gives for everything or not at all, and where that was read.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
ONLY_FOR_ALL = frozenset({"ecr:GetAuthorizationToken"})
# Ends of addresses that stand for what Amazon makes up, for all of a place of ours, or for all of
# an account's in a region, where Amazon lists those or none.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
ENDS = re.compile(
    r":secret:trackai/production/(tenants/\*|[a-z_]+-\?{6})$"
    r"|:log-group:(/trackai/production/)?\*$|:alarm:\*$"
)
LISTS = frozenset({"cloudwatch:DescribeAlarms", "logs:DescribeLogGroups"})


def of(resources: Resources, kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in resources.values() if one["Type"] == kind]


def flat(value: Any) -> str:
    """Return an address as text, what is only known at Amazon as its name."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        return str(value["Fn::Join"][0]).join(flat(part) for part in value["Fn::Join"][1])
    (name,) = value.values()
    return "<" + (name if isinstance(name, str) else ".".join(name)) + ">"


def each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(resources: Resources) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what roles and whom they trust may do."""
    for name, one in resources.items():
        if one["Type"] == "AWS::IAM::Policy":
            for statement in one["Properties"]["PolicyDocument"]["Statement"]:
                yield name, statement
