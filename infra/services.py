"""Servers and workers on Fargate, and the migration that runs before each of their versions."""

from dataclasses import dataclass

from aws_cdk import CfnCondition, Duration, Fn
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra import roles
from infra.edge import Edge
from infra.facts import LEAST_COPIES, MOST_SERVERS, MOST_WORKERS
from infra.network import Network
from infra.queues import Queues
from infra.tasks import Ground, Kind, Size, Task

API = Kind(
    "api",
    ("serve",),
    Size(cpu=1024, memory_mib=2048),
    probe=("trackai", "probe"),
    serves=True,
    looks=True,
)
WORKER = Kind(
    "worker",
    ("worker",),
    Size(cpu=1024, memory_mib=2048),
    probe=("trackai", "probe", "--worker"),
    # The probe asks there; nobody else reaches it.
    more={"TRACKAI_METRICS_PORT": "9400"},
)
MIGRATE = Kind("migrate", ("migrate", "--allow-newer"), Size(cpu=512, memory_mib=1024))
# A command beside the services, given in place of this one: deploy/aws/command.sh.
CHECK = Kind("check", ("golive", "check"), Size(cpu=512, memory_mib=1024), looks=True)

# A server at this share of its processor gets company.
CPU_PERCENT = 60
# So many requests a minute and server are far below what one bears (docs/performance.md).
REQUESTS_A_MINUTE = 12_000
# A delivery waits so long: one worker more, then three.
AGE_S, LATE_S = 30, 120


@dataclass(frozen=True, slots=True)
class Around:
    """What services stand between."""

    network: Network
    edge: Edge
    queues: Queues


class Services(Construct):
    """`api` and `worker`, and how many of each."""

    def __init__(self, scope: Construct, id_: str, ground: Ground, around: Around) -> None:
        super().__init__(scope, id_)
        self._around, self._ground = around, ground
        self.runs = CfnCondition(
            self,
            "Runs",
            expression=Fn.condition_equals(ground.parameters.stage.value_as_string, "running"),
        )
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            vpc=around.network.vpc,
            cluster_name=f"trackai-{ground.choices.environment}",
        )
        self.migrate = Task(self, "Migrate", ground, MIGRATE)
        self.check = self._looking(Task(self, "Check", ground, CHECK))
        self.api = self._servers()
        self.worker = self._workers()

    def _looking(self, task: Task) -> Task:
        """Let a task look up every secret of tenants, and look at the go-live checklist."""
        roles.may_read_tenants(task.role, self._ground.choices.secrets)
        roles.may_look(task.role, self._around.queues, self._ground.choices.logs)
        return task

    def _servers(self) -> ecs.FargateService:
        # The page Go-live looks at what the command looks at.
        task = self._looking(Task(self, "Api", self._ground, API))
        service = self._service("ApiService", "api", task)
        service.attach_to_application_target_group(self._around.edge.servers)
        count = self._scaled(service, MOST_SERVERS)
        calm, fast = Duration.minutes(5), Duration.minutes(1)
        count.scale_on_cpu_utilization(
            "ByProcessor",
            target_utilization_percent=CPU_PERCENT,
            scale_in_cooldown=calm,
            scale_out_cooldown=fast,
        )
        count.scale_on_request_count(
            "ByRequests",
            requests_per_target=REQUESTS_A_MINUTE,
            target_group=self._around.edge.servers,
            scale_in_cooldown=calm,
            scale_out_cooldown=fast,
        )
        return service

    def _workers(self) -> ecs.FargateService:
        task = Task(self, "Worker", self._ground, WORKER)
        roles.may_read_tenants(task.role, self._ground.choices.secrets)
        roles.may_work(task.role, self._around.queues, self._ground.key)
        service = self._service("WorkerService", "worker", task)
        count = self._scaled(service, MOST_WORKERS)
        age = self._around.queues.dispatch.metric_approximate_age_of_oldest_message(
            period=Duration.minutes(1), statistic="Maximum"
        )
        count.scale_on_metric(
            "ByAge",
            metric=age,
            adjustment_type=scaling.AdjustmentType.CHANGE_IN_CAPACITY,
            scaling_steps=[
                scaling.ScalingInterval(upper=AGE_S / 6, change=-1),
                scaling.ScalingInterval(lower=AGE_S, change=1),
                scaling.ScalingInterval(lower=LATE_S, change=3),
            ],
            cooldown=Duration.minutes(2),
            evaluation_periods=2,
        )
        return service

    def _service(self, id_: str, name: str, task: Task) -> ecs.FargateService:
        network = self._around.network
        service = ecs.FargateService(
            self,
            id_,
            service_name=name,
            cluster=self.cluster,
            task_definition=task.definition,
            security_groups=[network.tasks],
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="tasks"),
            assign_public_ip=False,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            enable_ecs_managed_tags=True,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
            health_check_grace_period=Duration.seconds(60) if name == "api" else None,
        )
        for one in service.node.find_all():
            # Before the first migration none; later as many as the scaling has come to.
            if isinstance(one, ecs.CfnService):
                none_yet = Fn.condition_if(self.runs.logical_id, {"Ref": "AWS::NoValue"}, 0)
                one.add_property_override("DesiredCount", none_yet)
        return service

    def _scaled(self, service: ecs.FargateService, most: int) -> ecs.ScalableTaskCount:
        count = service.auto_scale_task_count(min_capacity=LEAST_COPIES, max_capacity=most)
        made = [
            one for one in service.node.find_all() if isinstance(one, scaling.CfnScalableTarget)
        ]
        for one in made:
            one.add_property_override(
                "MinCapacity", Fn.condition_if(self.runs.logical_id, LEAST_COPIES, 0)
            )
        return count
