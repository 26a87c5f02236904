"""The network: two zones; what is public, what only goes out, and what does neither."""

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

API_PORT = 8400
POSTGRES_PORT = 5432
NFS_PORT = 2049
HTTP_PORT, HTTPS_PORT = 80, 443
# Where mail servers take messages.
SMTP_PORTS = (465, 587)
CIDR = "10.20.0.0/16"


class Network(Construct):
    """Subnets, and who may open a connection to whom."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(CIDR),
            max_azs=2,
            # One a zone: losing a zone must not cut the other off from Meta.
            nat_gateways=2,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="edge", subnet_type=ec2.SubnetType.PUBLIC),
                ec2.SubnetConfiguration(
                    name="tasks", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS
                ),
                ec2.SubnetConfiguration(
                    name="data", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
                ),
            ],
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)
            },
        )
        self.edge = self._group("Edge", "The way in")
        self.tasks = self._group("Tasks", "Servers, workers and migrations")
        self.database = self._group("Database", "PostgreSQL")
        self.files = self._group("Files", "Page reports of an outage")
        self._allow()

    @property
    def task_subnets(self) -> list[str]:
        """Return the subnets in which tasks run."""
        return self.vpc.select_subnets(subnet_group_name="tasks").subnet_ids

    def _group(self, name: str, said: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self, name, vpc=self.vpc, description=said, allow_all_outbound=False
        )

    def _allow(self) -> None:
        anybody, tcp = ec2.Peer.any_ipv4(), ec2.Port.tcp
        for port in (HTTP_PORT, HTTPS_PORT):
            self.edge.add_ingress_rule(anybody, tcp(port), "the internet")
        pairs = (
            (self.edge, self.tasks, API_PORT),
            (self.tasks, self.database, POSTGRES_PORT),
            (self.tasks, self.files, NFS_PORT),
        )
        for source, target, port in pairs:
            source.add_egress_rule(target, tcp(port), "inside")
            target.add_ingress_rule(source, tcp(port), "inside")
        # Ad platforms, Amazon's own services, certificates, mail.
        for port in (HTTPS_PORT, *SMTP_PORTS):
            self.tasks.add_egress_rule(anybody, tcp(port), "out")

    @property
    def region(self) -> str:
        """Return where it is."""
        return Aws.REGION
