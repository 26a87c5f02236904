"""The catalogue's alarms and dashboard at Amazon CloudWatch, and the ways to PagerDuty.

The rows are those of `trackai cloudwatch`; nothing here decides what an alarm is.
"""

from aws_cdk import Aws, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.choices import Choices
from trackai.alarms.catalogue import watched
from trackai.alarms.engines.cloudwatch import MetricAlarm, Place, Wish, metric_alarms
from trackai.alarms.engines.cloudwatch_dashboard import Account, dashboard_body
from trackai.alarms.message import words_of
from trackai.model.alarm import Severity
from trackai.settings import Environment

# Medium ones wake nobody: they stand on the dashboard.
PAGING = (Severity.CRITICAL, Severity.HIGH)


class Monitoring(Construct):
    """Topics, alarms, dashboard."""

    def __init__(
        self, scope: Construct, id_: str, choices: Choices, key: kms.IKey, pagerduty: str
    ) -> None:
        super().__init__(scope, id_)
        topics = {severity: [self._topic(severity, key, pagerduty)] for severity in PAGING}
        wish = Wish(
            # What the program says of itself in its measurements: a rehearsal, too, runs as in
            # production. Its address tells one stack's from another's.
            Place(Environment.PRODUCTION.value, choices.url.rstrip("/")),
            watched(production=True),
            words_of(choices.language),
            topics,
        )
        alarms = metric_alarms(wish)
        for one in alarms:
            self._alarm(one, wish.place.prefix)
        body = dashboard_body(wish, alarms, Account(Aws.REGION, Aws.ACCOUNT_ID, Aws.PARTITION))
        cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=wish.place.dashboard,
            dashboard_body=Stack.of(self).to_json_string(body),
        )

    def _topic(self, severity: Severity, key: kms.IKey, pagerduty: str) -> str:
        topic = sns.Topic(self, severity.value.capitalize(), master_key=key, enforce_ssl=True)
        topic.add_subscription(
            subscriptions.UrlSubscription(pagerduty, protocol=sns.SubscriptionProtocol.HTTPS)
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        return topic.topic_arn

    def _alarm(self, one: MetricAlarm, prefix: str) -> None:
        name = one["AlarmName"].removeprefix(prefix)
        cloudwatch.CfnAlarm(
            self,
            "".join(part.capitalize() for part in name.split("_")),
            alarm_name=one["AlarmName"],
            alarm_description=one["AlarmDescription"],
            actions_enabled=one["ActionsEnabled"],
            alarm_actions=one["AlarmActions"],
            ok_actions=one["OKActions"],
            insufficient_data_actions=one["InsufficientDataActions"],
            namespace=one["Namespace"],
            metric_name=one["MetricName"],
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name=each["Name"], value=each["Value"])
                for each in one["Dimensions"]
            ],
            statistic=one["Statistic"],
            period=one["Period"],
            evaluation_periods=one["EvaluationPeriods"],
            datapoints_to_alarm=one["DatapointsToAlarm"],
            threshold=one["Threshold"],
            comparison_operator=one["ComparisonOperator"],
            treat_missing_data=one["TreatMissingData"],
            tags=[{"key": each["Key"], "value": each["Value"]} for each in one["Tags"]],
        )
