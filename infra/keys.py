"""The key that everything at rest is encrypted with, and who of Amazon may use it."""

from aws_cdk import Aws, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


def make_key(scope: Construct, environment: str) -> kms.Key:
    """Return the key; it outlives the stack, for backups are sealed with it."""
    key = kms.Key(
        scope,
        "Key",
        description=f"Track AI {environment}: database, secrets, queues, logs",
        enable_key_rotation=True,
        removal_policy=RemovalPolicy.RETAIN,
    )
    stack = Stack.of(scope)
    logs = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:/trackai/"
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="LogsOfThisStack",
            principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.{Aws.URL_SUFFIX}")],
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
            resources=["*"],  # in a key's own policy: this key
            conditions={
                "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"{logs}{environment}/*"}
            },
        )
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AlarmsOfThisAccount",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=["*"],  # in a key's own policy: this key
            conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
        )
    )
    return key
