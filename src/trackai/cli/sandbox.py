"""`trackai sandbox`: the stand-ins by themselves, for trying a set-up without a real purchase."""

import hashlib
from typing import Annotated

import aiohttp
import typer
import uvloop

from trackai.cli.http import address_of, http_server, listening
from trackai.cli.installation import run
from trackai.cli.output import Json, Row, show_one
from trackai.cli.process import calm_collector
from trackai.cli.prompts import hidden
from trackai.cli.serve import stopped
from trackai.errors import InvalidField, UnknownGateway
from trackai.model.clock import SystemClock, new_id
from trackai.sandbox.meta.app import MetaSandbox
from trackai.sandbox.pagerduty.app import CHANGES, SEEN, PagerDutySandbox
from trackai.sandbox.platforms import PLATFORMS, Person, Platform, Sale, SaleStatus, platform
from trackai.sandbox.platforms.deliver import deliver

app = typer.Typer(
    no_args_is_help=True, help="Local stand-ins for Meta, PagerDuty and the platforms."
)

# Of the form of PagerDuty's keys, and nobody's.
_PAGER_KEY = "5a4db0c5a4db0c5a4db0c5a4db0c5a4d"

_SCHEDULE = "PSCHED1"

# The commonest trouble; docs/operations.md has the others.
_FAIL = (
    """curl {url}/sandbox/faults -d '{{"kind": "token_expired", "times": null}}'   """
    "(all kinds, and how it ends: docs/operations.md, Rehearse it)"
)


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
                    f"Meta's stand-in: {url}  (what arrived: {url}/sandbox/test-events?view=all)",
                    flush=True,
                )
                print(f"Connect to it: --pixel {pixel} --token {token} --api-url {url}", flush=True)
                print(f"Make it fail: {_FAIL.format(url=url)}", flush=True)
                await stopped()

    calm_collector()
    uvloop.run(work())


@app.command()
def pagerduty(
    key: Annotated[str, typer.Option(help="Integration key that it knows.")] = _PAGER_KEY,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 = any.")] = 8402,
) -> None:
    """Serve a strict local Events API, and who is on call; incidents: /sandbox/incidents."""
    sandbox = PagerDutySandbox(SystemClock())
    sandbox.add_service(key)
    sandbox.on_call.keys.add(key)
    sandbox.on_call.add("PUSER1", "Ana", schedule=_SCHEDULE, policy="PPOLICY1")

    async def work() -> None:
        with listening(host, port) as listener:
            async with http_server(sandbox, listener):
                url = address_of(listener)
                seen = f"incidents: {url}{SEEN}, changes: {url}{CHANGES}"
                print(f"PagerDuty's stand-in: {url}  ({seen})", flush=True)
                print(f"Use it: TRACKAI_PAGERDUTY_URL={url} trackai up", flush=True)
                asked = f"TRACKAI_PAGERDUTY_API_URL={url} TRACKAI_PAGERDUTY_API_KEY={key}"
                print(
                    f"{asked} TRACKAI_PAGERDUTY_SCHEDULE={_SCHEDULE}  (who is on call)", flush=True
                )
                print(
                    f"TRACKAI_ALARM_SECRET={key} trackai alarms routes add pagerduty Sandbox",
                    flush=True,
                )
                await stopped()

    calm_collector()
    uvloop.run(work())


@app.command()
def webhook(
    gateway: Annotated[str, typer.Argument(help=", ".join(PLATFORMS))],
    url: Annotated[str, typer.Option(help="The connection's webhook address.")],
    secret: Annotated[
        str | None,
        typer.Option(envvar="TRACKAI_GATEWAY_SECRET", help="Its secret; asked for when left out."),
    ] = None,
    status: Annotated[SaleStatus, typer.Option(help="What to say of the sale.")] = (
        SaleStatus.APPROVED
    ),
    transaction: Annotated[
        str | None, typer.Option(help="An earlier sale's, to tell more of it; default: a new sale.")
    ] = None,
    click_id: Annotated[str | None, typer.Option(help="As if carried through checkout.")] = None,
    amount_minor: Annotated[int, typer.Option(min=0, help="Amount in centavos or cents.")] = 19_700,
    email: Annotated[
        str | None, typer.Option(help="The buyer's; default: one that belongs to the transaction.")
    ] = None,
    phone: Annotated[str | None, typer.Option(help="The buyer's, in digits; default as above.")] = (
        None
    ),
    forge: Annotated[bool, typer.Option("--forge", help="Sign with another secret.")] = False,
    json: Json = False,
) -> None:
    """Send one webhook in a platform's own shape and signature; the buyer is invented.

    A connection with a real pixel sends the sale on to it: use a test event code, or the
    stand-in of `sandbox meta`.
    """
    sender = _sender(gateway, secret, status)
    now = SystemClock().now()
    told = transaction or sender.transaction(new_id())
    sale = Sale(
        transaction=told,
        sold_at=now,
        amount_minor=amount_minor,
        click_id=click_id,
        buyer=_buyer(told, email, phone),
    )

    async def work() -> Row:
        main, *others = sender.notices(sale, status, at=now, forge=forge)
        async with aiohttp.ClientSession() as session:
            for one in reversed(others):
                await deliver(session, url, one, tries=1)
            delivered = await deliver(session, url, main, tries=1)
        return {
            "transaction": sale.transaction,
            "status": status.value,
            "http_status": delivered.status,
            "taken": delivered.taken,
            "email": sale.buyer.email,
            "phone": sale.buyer.phone,
            "answer": delivered.said.strip() or None,
        }

    found = run(work())
    show_one(found, json=json)
    if not found["taken"]:
        raise typer.Exit(1)


def _sender(gateway: str, secret: str | None, status: SaleStatus) -> Platform:
    """Return the stand-in that can say this of a sale."""
    if gateway not in PLATFORMS:
        raise UnknownGateway(f"There is no stand-in for it. Known: {', '.join(PLATFORMS)}.")
    sender = platform(gateway, hidden(secret, "Secret", variable="TRACKAI_GATEWAY_SECRET"))
    if status not in sender.statuses:
        known = ", ".join(sorted(sender.statuses))
        raise InvalidField(f"{gateway} has no webhook for it. It has: {known}.", field="status")
    return sender


def _buyer(transaction: str, email: str | None, phone: str | None) -> Person:
    """Return an invented buyer: the same for all notices of a sale, another for every sale."""
    digest = hashlib.sha256(transaction.encode()).hexdigest()
    return Person(
        email=email or f"buyer-{digest[:12]}@example.com",
        phone=phone or f"55119{int(digest[:12], 16) % 10**8:08}",
    )
