"""What a container of the product is given: image, settings, secrets, files, log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import Aws, Duration
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra import roles
from infra.choices import Choices, Parameters
from infra.data import Data
from infra.facts import CONTAINER
from infra.logs import LogGroups
from infra.network import API_PORT, CIDR
from infra.secrets import Secrets

# The one place the product writes to, and where programs write what is short-lived.
HOME, TEMPORARY = "/var/lib/trackai", "/tmp"  # noqa: S108 - a container's own
# Requests or jobs under way, then the last lines (tests/deploy says how long that may take).
END_S = 75


@dataclass(frozen=True, slots=True)
class Ground:
    """What all tasks stand on."""

    choices: Choices
    parameters: Parameters
    image: ecr.IRepository
    logs: LogGroups
    key: kms.IKey
    data: Data
    secrets: Secrets

    @property
    def settings(self) -> dict[str, str]:
        """Return what every process is told, without secrets."""
        return {
            "AWS_DEFAULT_REGION": Aws.REGION,
            "TRACKAI_DATABASE_URL": self.data.url,
            "TRACKAI_DATABASE_PASSWORD_FROM": f"aws:{self.data.password}",
            "TRACKAI_PUBLIC_URL": self.choices.url,
            "TRACKAI_TRUSTED_PROXIES": CIDR,
            "TRACKAI_LOG_FORMAT": "json",
            "TRACKAI_LOG_MIB": "0",  # CloudWatch has them
            "TRACKAI_LOG_GROUPS": self.choices.logs,
            "TRACKAI_METRICS_LOG": "emf",
            "TRACKAI_PAGER": "elsewhere",
            "TRACKAI_BACKUP_TO": "elsewhere",
            "TRACKAI_QUEUE": "sqs",
            "TRACKAI_SMTP_HOST": self.parameters.smtp_host,
            "TRACKAI_SMTP_USER": self.parameters.smtp_user,
            "TRACKAI_MAIL_FROM": self.parameters.mail_from,
            "TRACKAI_SUPPORT_CONTACT": self.parameters.support_contact,
        }


@dataclass(frozen=True, slots=True)
class Size:
    """How much a task has."""

    cpu: int  # 1024 = one processor
    memory_mib: int


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of process a task runs."""

    name: str
    command: Sequence[str]
    size: Size
    probe: Sequence[str] | None = None
    serves: bool = False
    looks: bool = False  # at the go-live checklist, which asks PagerDuty who is on call
    more: Mapping[str, str] = field(default_factory=dict)


class Task(Construct):
    """A task's definition with its two roles: who starts it, and what it may do itself."""

    def __init__(self, scope: Construct, id_: str, ground: Ground, kind: Kind) -> None:
        super().__init__(scope, id_)
        self._ground, self._kind = ground, kind
        self.group = ground.logs.group(kind.name)
        self.role = roles.task_role(self, "Role", f"What Track AI's {kind.name} may do")
        self.definition = self._definition(self._starter())
        roles.may_log_in(self.role, ground.data.password, ground.key)
        if kind.serves:
            self._give_files()

    def _secrets(self) -> dict[str, secretsmanager.ISecret]:
        ours = self._ground.secrets
        given = {
            "TRACKAI_SECRET_KEY": ours.secret_key,
            "TRACKAI_SMTP_PASSWORD": ours.smtp_password,
        }
        if self._kind.looks:
            given["TRACKAI_PAGERDUTY_API_KEY"] = ours.pagerduty_key
        return given

    def _settings(self) -> dict[str, str]:
        told = {**self._ground.settings, **self._kind.more}
        if self._kind.looks:
            told["TRACKAI_PAGERDUTY_SCHEDULE"] = self._ground.parameters.schedule
        return told

    def _starter(self) -> iam.Role:
        starter = roles.task_role(self, "Starter", f"Starts Track AI's {self._kind.name}")
        ground = self._ground
        given = tuple(self._secrets().values())
        roles.may_start(starter, ground.image, self.group, given, ground.key)
        return starter

    def _definition(self, starter: iam.Role) -> ecs.FargateTaskDefinition:
        kind, ground = self._kind, self._ground
        definition = ecs.FargateTaskDefinition(
            self,
            "Definition",
            family=f"trackai-{ground.choices.environment}-{kind.name}",
            cpu=kind.size.cpu,
            memory_limit_mib=kind.size.memory_mib,
            # Grants of the construct's own would be wider than ours.
            execution_role=starter.without_policy_updates(),
            task_role=self.role.without_policy_updates(),
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.X86_64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        container = definition.add_container(
            CONTAINER,
            image=ecs.ContainerImage.from_registry(
                f"{ground.image.repository_uri}:{ground.parameters.tag}"
            ),
            memory_limit_mib=kind.size.memory_mib,
            command=[*kind.command],
            environment=self._settings(),
            secrets={
                name: ecs.Secret.from_secrets_manager(one) for name, one in self._secrets().items()
            },
            health_check=self._probe(),
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix=kind.name,
                log_group=self.group,
                mode=ecs.AwsLogDriverMode.NON_BLOCKING,
            ),
            readonly_root_filesystem=True,
            user="10001:10001",
            stop_timeout=Duration.seconds(END_S),
            port_mappings=[ecs.PortMapping(container_port=API_PORT)] if kind.serves else None,
        )
        for name, path in (("home", HOME), ("temporary", TEMPORARY)):
            if not (kind.serves and path == HOME):
                definition.add_volume(name=name)
            container.add_mount_points(
                ecs.MountPoint(source_volume=name, container_path=path, read_only=False)
            )
        return definition

    def _probe(self) -> ecs.HealthCheck | None:
        if self._kind.probe is None:
            return None
        return ecs.HealthCheck(
            command=["CMD", *self._kind.probe],
            interval=Duration.seconds(30),
            timeout=Duration.seconds(10),
            retries=3,
            start_period=Duration.seconds(60),
        )

    def _give_files(self) -> None:
        data = self._ground.data
        self.definition.add_volume(
            name="home",
            efs_volume_configuration=ecs.EfsVolumeConfiguration(
                file_system_id=data.files.file_system_id,
                transit_encryption="ENABLED",
                authorization_config=ecs.AuthorizationConfig(
                    access_point_id=data.door.access_point_id, iam="ENABLED"
                ),
            ),
        )
        roles.may_keep(self.role, data.files, data.door)
