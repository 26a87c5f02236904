"""The way in: a balancer that speaks TLS, and a wall before it."""

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.facts import MOST_REQUESTS
from infra.network import API_PORT, HTTP_PORT, HTTPS_PORT, Network

# Platforms send everybody's webhooks from few addresses; a lost one is a lost sale.
WEBHOOKS = "/api/v1/webhooks/"
# A request is answered in far less; pages that watch events live are sent something before that.
IDLE_S = 60
# Nobody sends to a server any more, then it may end.
DRAIN_S = 30


class Edge(Construct):
    """Balancer, its listeners, and the servers behind it."""

    def __init__(self, scope: Construct, id_: str, network: Network, certificate: str) -> None:
        super().__init__(scope, id_)
        self.balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=network.vpc,
            internet_facing=True,
            security_group=network.edge,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="edge"),
            deletion_protection=True,
            drop_invalid_header_fields=True,
            idle_timeout=Duration.seconds(IDLE_S),
        )
        self.servers = elb.ApplicationTargetGroup(
            self,
            "Servers",
            vpc=network.vpc,
            port=API_PORT,
            protocol=elb.ApplicationProtocol.HTTP,
            target_type=elb.TargetType.IP,
            deregistration_delay=Duration.seconds(DRAIN_S),
            # Stays 200 while the database is away: a server out of rotation hears nothing.
            health_check=elb.HealthCheck(
                path="/readyz",
                healthy_http_codes="200",
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )
        self.listener = self.balancer.add_listener(
            "Tls",
            port=HTTPS_PORT,
            open=False,
            certificates=[elb.ListenerCertificate.from_arn(certificate)],
            ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
            default_target_groups=[self.servers],
        )
        self.balancer.add_listener(
            "Plain",
            port=HTTP_PORT,
            open=False,
            default_action=elb.ListenerAction.redirect(
                protocol="HTTPS", port=str(HTTPS_PORT), permanent=True
            ),
        )
        self._wall()

    def _wall(self) -> None:
        wall = waf.CfnWebACL(
            self,
            "Wall",
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_seen("trackai-wall"),
            rules=[
                waf.CfnWebACL.RuleProperty(
                    name="too-many-requests",
                    priority=0,
                    action=waf.CfnWebACL.RuleActionProperty(block={}),
                    visibility_config=_seen("trackai-too-many-requests"),
                    statement=waf.CfnWebACL.StatementProperty(
                        rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                            aggregate_key_type="IP",
                            limit=MOST_REQUESTS,
                            evaluation_window_sec=300,
                            scope_down_statement=_not_webhooks(),
                        )
                    ),
                )
            ],
        )
        waf.CfnWebACLAssociation(
            self,
            "WallBefore",
            resource_arn=self.balancer.load_balancer_arn,
            web_acl_arn=wall.attr_arn,
        )


def _seen(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )


def _not_webhooks() -> waf.CfnWebACL.StatementProperty:
    webhooks = waf.CfnWebACL.StatementProperty(
        byte_match_statement=waf.CfnWebACL.ByteMatchStatementProperty(
            field_to_match=waf.CfnWebACL.FieldToMatchProperty(uri_path={}),
            positional_constraint="STARTS_WITH",
            search_string=WEBHOOKS,
            text_transformations=[
                waf.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")
            ],
        )
    )
    return waf.CfnWebACL.StatementProperty(
        not_statement=waf.CfnWebACL.NotStatementProperty(statement=webhooks)
    )
