"""`trackai tag`: the script tag that a customer pastes into their pages."""

from enum import StrEnum
from typing import Annotated

import typer

from trackai.cli.installation import open_installation, run
from trackai.cli.output import Json, TenantName, write_json
from trackai.gateways.registry import gateways
from trackai.tracker.script import build_script
from trackai.tracker.tag import script_tag


class Consent(StrEnum):
    """What a page may do before its visitor has said anything."""

    GRANTED = "granted"  # as without
    WAIT = "wait"  # nothing until trackai.consent(...) is called
    DENIED = "denied"


def tag(
    tenant: TenantName,
    funnel: Annotated[
        str | None, typer.Option(help="Funnel that its clicks belong to, by name or id.")
    ] = None,
    consent: Annotated[
        Consent | None, typer.Option(help="What holds before the visitor has said anything.")
    ] = None,
    pinned: Annotated[
        bool, typer.Option("--pinned", help="Name today's version: kept by browsers for a year.")
    ] = False,
    json: Json = False,
) -> None:
    """Print the script tag for a tenant's pages."""

    async def work() -> str:
        async with open_installation() as here, here.onboarding() as onboarding:
            owner = await here.tenant(tenant)
            known = gateways(plugins=here.settings.gateway_plugins)
            version = build_script(known.values()).version if pinned else None
            said = {"site-key": owner.site_key}
            if funnel is not None:
                said["funnel"] = str((await onboarding.funnel_named(owner.id, funnel)).id)
            if consent is not None:
                said["consent"] = consent.value
            return script_tag(here.settings.base_url, said, version=version)

    html = run(work())
    if json:
        write_json({"tag": html})
    else:
        print(html)
