"""Items of infrastructure: queues, secrets, replicas, database, pages, pager, certificate."""

import datetime as dt
import ssl
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.certificate import certificate_end, is_https
from trackai.alarms.evaluator import NAME as LOOKS
from trackai.errors import DestinationUnreachable, SecretMissing, SecretUnavailable
from trackai.model.alarm import INSTALLATION, Fact, RouteKind
from trackai.model.golive import Evidence
from trackai.operations.golive import amazon
from trackai.operations.golive.look import Look, made_backups
from trackai.queue.sqs_client import find_queue, load_redrive, open_sqs
from trackai.secrets.port import is_reference
from trackai.storage import (
    alarm_routes,
    destinations,
    gateway_connections,
    golive_facts,
    health,
    installation_facts,
    jobs,
    queue_probe,
    tenants,
)

HEARD_WITHIN = dt.timedelta(minutes=1)
LOOKED_WITHIN = dt.timedelta(minutes=2)
FEWEST = 2
_OK = 200
# Stands in every page of ours, and in no error page of a proxy.
OUR_PAGE = b"trackai"


async def queues(look: Look) -> Evidence:
    """Post, lease and acknowledge; at Amazon SQS both queues and the way between them."""
    if look.place.sqs is not None:
        return await _sqs(look, *look.place.sqs)
    async with look.workers.transaction() as tx:
        facts = await installation_facts.load_facts_all_tenants(tx, now=look.clock.now())
    if not await queue_probe.probe(look.workers, now=look.clock.now(), new_id=look.new_id):
        return look.bad("queue_lost", engine="postgres")
    dead = int(facts.get(Fact.DEAD_LETTERS_ALL, 0))
    return look.good("queue_ok", engine="postgres", dead=dead)


async def _sqs(look: Look, queue: str, dead: str) -> Evidence:
    async with open_sqs() as client:
        url, dead_url = await find_queue(client, queue), await find_queue(client, dead)
        receives = await load_redrive(client, url, dead_url)
    if receives is None:
        return look.bad("sqs_no_redrive", queue=queue, dead=dead)
    return look.good("sqs_ok", queue=queue, dead=dead, receives=receives)


async def secrets(look: Look) -> Evidence:
    """Open every secret, and look up those that are kept elsewhere."""
    connections, without, tokens = 0, 0, list[str]()
    proofs: list[str] = []
    async with look.workers.transaction() as tx:
        for tenant in await tenants.list_tenants_all_tenants(tx):
            if tenant.id in look.practice:
                continue
            known = await gateway_connections.list_connections(
                tx, look.envelope, tenant_id=tenant.id
            )
            valid = [one.valid_secrets(look.clock.now()) for one in known]
            connections, without = connections + len(known), without + valid.count(())
            proofs += [secret for one in valid for secret in one]
            accounts = await destinations.list_destinations(tx, look.envelope, tenant_id=tenant.id)
            tokens += [one.token for one in accounts]
    if not connections or not tokens:
        return look.bad("secrets_none", connections=connections, pixels=len(tokens))
    if without:
        return look.bad("secrets_missing", missing=without, connections=connections)
    return await _kept(look, [*proofs, *tokens], connections=connections, pixels=len(tokens))


async def _kept(look: Look, values: Sequence[str], **counted: int) -> Evidence:
    """Look up what says where it is; nobody's database is held meanwhile."""
    references = sorted({one for one in values if is_reference(one)})
    lost = []
    for one in references:
        try:
            await look.secrets.find(one, max_age_s=0)
        except (SecretMissing, SecretUnavailable) as error:
            lost.append(f"{one} ({error.code})")
    if lost:
        return look.bad("secrets_lost", lost=len(lost), first=lost[0])
    return look.good("secrets_ok", None, **counted, kept=len(references))


async def replicas(look: Look) -> Evidence:
    """Count processes that were heard of, by their part."""
    since = look.clock.now() - HEARD_WITHIN
    async with look.workers.transaction() as tx:
        heard = await golive_facts.list_processes_all_tenants(tx, since=since)
    serve = sum(one.process.startswith("serve@") for one in heard)
    work = sum(one.process.startswith("worker@") for one in heard)
    if min(serve, work) < FEWEST:
        return look.bad("replicas_few", serve=serve, work=work)
    return look.good("replicas_ok", serve=serve, work=work)


async def database(look: Look) -> Evidence:
    """Ask the server what it is; the evidence is as old as the newest good backup."""
    async with look.workers.transaction() as tx:
        server = await health.load_server(tx)
    known = [one for one in await made_backups(look) if one.refuted_at is None]
    version = f"{server.version // 10000}.{server.version % 10000}"
    if server.version < health.OLDEST_POSTGRES:
        return look.bad("database_old", version=version)
    if server.synchronous_commit == "off":
        return look.bad("database_not_durable")
    if not known:
        return look.bad("backup_none")
    taken = known[0].taken_at
    return look.good("database_ok", taken, version=version, backup=taken)


async def dashboards(look: Look) -> Evidence:
    """Open the page that everybody comes in by, at the public address."""
    url, began = f"{look.place.base_url}/sign-in", time.perf_counter()
    try:
        answer = await look.http.get(url, query={}, headers={})
    except DestinationUnreachable:
        return look.bad("page_away", url=url)
    took_ms = round(1000 * (time.perf_counter() - began))
    if answer.status != _OK or OUR_PAGE not in answer.body.lower().replace(b" ", b""):
        return look.bad("page_bad", url=url, status=answer.status)
    return look.good("page_ok", url=url, status=answer.status, ms=took_ms)


async def pager(look: Look) -> Evidence:
    """Ask whether alarms are looked at, and whether PagerDuty took what the installation said."""
    if look.place.calls_elsewhere:
        return await amazon.pager(look)
    async with look.workers.transaction() as tx:
        looked = await jobs.find_finished(tx, LOOKS)
        routes = [
            one
            for one in await alarm_routes.load_routes_all_tenants(tx)
            if (one.tenant_id, one.kind) == (INSTALLATION, RouteKind.PAGERDUTY)
        ]
        sent = await golive_facts.find_last_sent_all_tenants(tx, RouteKind.PAGERDUTY)
    if looked is None or look.clock.now() - looked > LOOKED_WITHIN:
        return look.bad("pager_not_looked")
    if not routes:
        return look.bad("pager_no_route")
    if sent is None:
        return look.bad("pager_no_call")
    return look.good("pager_ok", sent, routes=len(routes), sent=sent, looked=looked)


async def tls(look: Look) -> Evidence:
    """Open the public address as a browser does: who it is for, who vouches, how long it lasts."""
    url = look.place.base_url
    if not is_https(url):
        return look.bad("tls_none", url=url)
    host = urlsplit(url).hostname or ""
    try:
        ends = await certificate_end(url, trusted=True)
    except ssl.SSLCertVerificationError as error:
        return look.bad("tls_refused", host=host, why=error.verify_message)
    except (OSError, TimeoutError) as error:
        return look.bad("tls_refused", host=host, why=type(error).__name__)
    days = (ends - look.clock.now()) / dt.timedelta(days=1)
    if days < ALARMS["certificate_expiring"].threshold:
        return look.bad("tls_soon", host=host, days=int(days))
    return look.good("tls_ok", host=host, days=int(days))
