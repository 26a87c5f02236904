"""Log groups: where lines of each process go, and for how long."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

_KEPT = logs.RetentionDays.ONE_MONTH


class LogGroups(Construct):
    """One a kind of process, encrypted."""

    def __init__(self, scope: Construct, id_: str, prefix: str, key: kms.IKey) -> None:
        super().__init__(scope, id_)
        self._prefix, self._key = prefix, key

    def group(self, name: str) -> logs.LogGroup:
        """Return the group of a kind of process."""
        return logs.LogGroup(
            self,
            name.capitalize(),
            log_group_name=f"{self._prefix}{name}",
            retention=_KEPT,
            encryption_key=self._key,
            removal_policy=RemovalPolicy.RETAIN,
        )
