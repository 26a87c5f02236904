"""The two queues, as `trackai queue create` makes them, with a key of our own."""

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from trackai.queue.port import LEASE
from trackai.queue.sqs_client import MOST_RECEIVES, RETENTION_S, SqsNames


class Queues(Construct):
    """`capi-dispatch` and `capi-dispatch-dlq`."""

    def __init__(self, scope: Construct, id_: str, key: kms.IKey) -> None:
        super().__init__(scope, id_)
        names = SqsNames()
        self.dead = self._queue("Dead", names.dead, key, None)
        self.dispatch = self._queue(
            "Dispatch",
            names.queue,
            key,
            sqs.DeadLetterQueue(queue=self.dead, max_receive_count=MOST_RECEIVES),
        )

    def _queue(
        self, id_: str, name: str, key: kms.IKey, dead: sqs.DeadLetterQueue | None
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            id_,
            queue_name=name,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.seconds(RETENTION_S),
            visibility_timeout=Duration.seconds(int(LEASE.total_seconds())),
            dead_letter_queue=dead,
        )
