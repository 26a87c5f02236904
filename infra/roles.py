"""Who may do what at Amazon: a role a kind of process, each with the least it needs."""

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.queues import Queues
from infra.secrets import DEFAULTS

_TASKS = iam.ServicePrincipal("ecs-tasks.amazonaws.com")
# What workers do with the queue and with what Amazon gave up on.
_QUEUE = (
    *("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueUrl"),
    *("sqs:ReceiveMessage", "sqs:SendMessage"),
)
_DEAD = ("sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage")
# What is asked of a queue by whoever only looks whether it is there, and where it gives up to.
_SEEN = ("sqs:GetQueueAttributes", "sqs:GetQueueUrl")


def task_role(scope: Construct, id_: str, said: str) -> iam.Role:
    """Return a role that processes of this stack take, and may do nothing yet."""
    return iam.Role(scope, id_, assumed_by=_this_account(), description=said)


def _this_account() -> iam.PrincipalBase:
    stack = f"arn:{Aws.PARTITION}:ecs:{Aws.REGION}:{Aws.ACCOUNT_ID}:*"
    return _TASKS.with_conditions(
        {
            "ArnLike": {"aws:SourceArn": stack},
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
        }
    )


def _allow(role: iam.Role, actions: tuple[str, ...], *resources: str) -> None:
    role.add_to_policy(iam.PolicyStatement(actions=[*actions], resources=[*resources]))


def may_start(
    role: iam.Role,
    image: ecr.IRepository,
    group: logs.ILogGroup,
    secrets: tuple[secretsmanager.ISecret, ...],
    key: kms.IKey,
) -> None:
    """Let Amazon start a task: its image, its log, the secrets in its environment."""
    # The one action that Amazon gives for all registries or not at all.
    _allow(role, ("ecr:GetAuthorizationToken",), "*")
    _allow(
        role,
        ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        image.repository_arn,
    )
    _allow(role, ("logs:CreateLogStream", "logs:PutLogEvents"), group.log_group_arn)
    if secrets:
        # A secret's address ends in six signs that Amazon makes up.
        named = [one.secret_arn for one in secrets]
        _allow(role, ("secretsmanager:GetSecretValue",), *named)
        _allow(role, ("kms:Decrypt",), key.key_arn)


def may_log_in(role: iam.Role, password: str, key: kms.IKey) -> None:
    """Let a process look up the database's password, which Amazon changes."""
    _allow(role, ("secretsmanager:GetSecretValue",), password)
    _allow(role, ("kms:Decrypt",), key.key_arn)


def may_read_tenants(role: iam.Role, prefix: str) -> None:
    """Let a process look up what tenants prove and send with; not what the installation has."""
    scope = Stack.of(role)
    names = (*DEFAULTS, "tenants/")
    found = [
        scope.format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{prefix}/{name}{'*' if name.endswith('/') else '-??????'}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for name in names
    ]
    _allow(role, ("secretsmanager:GetSecretValue",), *found)


def may_work(role: iam.Role, queues: Queues, key: kms.IKey) -> None:
    """Let workers hand out deliveries."""
    _allow(role, _QUEUE, queues.dispatch.queue_arn)
    _allow(role, _DEAD, queues.dead.queue_arn)
    _allow(role, ("kms:Decrypt", "kms:GenerateDataKey"), key.key_arn)


def may_look(role: iam.Role, queues: Queues, groups: str) -> None:
    """Let the go-live checklist be looked at: queues, alarms, and lines of our own log groups.

    deploy/aws/golive-policy.json says the same for whoever looks from elsewhere; a test compares.
    """
    scope = Stack.of(role)

    def arn(service: str, resource: str, name: str) -> str:
        return scope.format_arn(
            service=service,
            resource=resource,
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    _allow(role, _SEEN, queues.dispatch.queue_arn, queues.dead.queue_arn)
    # Lists of groups and alarms are given for all of an account's in a region or not at all.
    _allow(role, ("cloudwatch:DescribeAlarms",), arn("cloudwatch", "alarm", "*"))
    _allow(role, ("logs:DescribeLogGroups",), arn("logs", "log-group", "*"))
    _allow(role, ("logs:FilterLogEvents",), arn("logs", "log-group", f"{groups}*"))


def may_keep(role: iam.Role, files: efs.FileSystem, door: efs.AccessPoint) -> None:
    """Let servers write page reports of an outage, by their own door alone."""
    there = Stack.of(role).format_arn(
        service="elasticfilesystem", resource="file-system", resource_name=files.file_system_id
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
            resources=[there],
            conditions={
                "StringEquals": {"elasticfilesystem:AccessPointArn": door.access_point_arn}
            },
        )
    )
