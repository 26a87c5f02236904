"""`trackai sandbox`: the stand-ins by themselves, for trying a set-up without a real purchase."""

from typing import Annotated

import typer
import uvloop

from trackai.cli.http import address_of, http_server, listening
from trackai.cli.serve import stopped
from trackai.model.clock import SystemClock
from trackai.sandbox.meta.app import MetaSandbox

app = typer.Typer(no_args_is_help=True, help="Local stand-ins for Meta and the platforms.")


@app.command()
def meta(
    pixel: Annotated[str, typer.Option(help="Pixel that exists there.")] = "100200300400500",
    token: Annotated[str, typer.Option(help="Token that may use it.")] = "sandbox-token",  # noqa: S107
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 = any.")] = 8401,
) -> None:
    """Serve a strict local Conversions API; its pages show what arrived."""
    sandbox = MetaSandbox(SystemClock())
    sandbox.add_dataset(pixel, "Sandbox")
    sandbox.add_token(token, datasets=[pixel])

    async def work() -> None:
        with listening(host, port) as listener:
            async with http_server(sandbox, listener):
                url = address_of(listener)
                print(
                    f"Meta's stand-in: {url}  (what arrived: {url}/sandbox/test-events)", flush=True
                )
                print(f"Connect to it: --pixel {pixel} --token {token} --api-url {url}", flush=True)
                await stopped()

    uvloop.run(work())
