"""All of it put together: one stack an environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import App, CfnOutput, DefaultStackSynthesizer, Stack
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from infra.choices import Choices, Parameters
from infra.data import Data
from infra.edge import Edge
from infra.keys import make_key
from infra.logs import LogGroups
from infra.monitoring import Monitoring
from infra.network import Network
from infra.queues import Queues
from infra.secrets import Secrets
from infra.services import Around, Services
from infra.tasks import Ground


class TrackaiStack(Stack):
    """The product at Amazon."""

    def __init__(self, scope: Construct, choices: Choices) -> None:
        super().__init__(
            scope,
            f"trackai-{choices.environment}",
            description=f"Track AI, {choices.environment}, {choices.url}",
            # Nothing is uploaded beside the template, so nothing has to be set up before.
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        parameters = Parameters(self)
        key = make_key(self, choices.environment)
        network = Network(self, "Network")
        queues = Queues(self, "Queues", key)
        edge = Edge(self, "Edge", network, parameters.certificate)
        ground = Ground(
            choices,
            parameters,
            ecr.Repository.from_repository_name(self, "Image", parameters.repository),
            LogGroups(self, "Logs", choices.logs, key),
            key,
            Data(self, "Data", network, key, parameters.database_class),
            Secrets(self, "Secrets", choices.secrets, key),
        )
        services = Services(self, "Services", ground, Around(network, edge, queues))
        Monitoring(self, "Monitoring", choices, key, parameters.pagerduty)
        self._tell(network, edge, services)

    def _tell(self, network: Network, edge: Edge, services: Services) -> None:
        """Say what a rollout and the owner of the name's zone have to know."""
        told: Mapping[str, str] = {
            "Balancer": edge.balancer.load_balancer_dns_name,
            "Cluster": services.cluster.cluster_name,
            "MigrateTask": services.migrate.definition.task_definition_arn,
            "MigrateLogs": services.migrate.group.log_group_name,
            "CheckTask": services.check.definition.task_definition_arn,
            "CheckLogs": services.check.group.log_group_name,
            "TaskSubnets": ",".join(network.task_subnets),
            "TaskGroup": network.tasks.security_group_id,
        }
        for name, value in told.items():
            CfnOutput(self, f"{name}Output", value=value).override_logical_id(name + "Is")


def synthesize(choices: Choices, out: Path) -> tuple[Path, dict[str, Any]]:
    """Write the template into a directory; return where it is, and what it says."""
    app = App(outdir=str(out), analytics_reporting=False, tree_metadata=False)
    stack = TrackaiStack(app, choices)
    template = app.synth().get_stack_by_name(stack.stack_name)
    return Path(template.template_full_path), template.template
