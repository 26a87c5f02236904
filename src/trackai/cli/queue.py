"""`trackai queue`: the queues at Amazon, when TRACKAI_QUEUE=sqs."""

import typer

from trackai.cli.installation import run
from trackai.cli.output import Json, show_one
from trackai.queue.sqs_client import SqsNames, create_queues, open_sqs
from trackai.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="The queues at Amazon SQS.")


@app.command()
def create(json: Json = False) -> None:
    """Make both queues with the redrive between them; safe to repeat."""
    settings = load_settings()
    names = SqsNames(settings.sqs_queue, settings.sqs_dead_queue)

    async def work() -> dict[str, str]:
        async with open_sqs() as client:
            return await create_queues(client, names)

    show_one(run(work()), json=json)


@app.callback()
def _group() -> None:
    """Keep `create` a command of a group."""
