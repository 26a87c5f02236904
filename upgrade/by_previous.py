"""What the previous release's own code does to a database: run with that release's packages.

Opens customers as its command line does and prints them as one JSON object; with `--fill`, puts
something into every table as well. Keep to names that it has, too.
"""

import asyncio
import base64
import json
import sys
from pathlib import Path

from tests.support.customer import Customer, open_customer
from tests.support.program import Place
from tests.support.world import open_world

import trackai
from trackai.model.clock import SystemClock
from trackai.sandbox.meta import MetaSandbox

# 32 bytes that are no secret: the key of everything that is made for a try.
KEY = base64.b64encode(bytes(range(32))).decode()


def told_of(customer: Customer) -> dict[str, object]:
    """Return what somebody else has to know of a customer."""
    tenant, pixel = customer.tenant, customer.pixel
    return {
        "tenant_id": str(tenant.id),
        "name": tenant.name,
        "site_key": tenant.site_key,
        "destination_id": str(pixel.id),
        "pixel_id": pixel.pixel_id,
        "token": pixel.token,
        "paths": dict(customer.paths),
    }


async def _work(url: str, meta_url: str, *, fill: bool) -> None:
    place, meta = Place(Path(), url, KEY), MetaSandbox(SystemClock())
    made = [await open_customer(place, meta, meta_url, f"Loja {number}") for number in range(2)]
    if fill:
        async with open_world(url) as world:
            await world.fill(world.account)
    package = str(Path(trackai.__file__).parent)
    print(json.dumps({"package": package, "customers": [told_of(one) for one in made]}))


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], sys.argv[2], fill="--fill" in sys.argv[3:]))
