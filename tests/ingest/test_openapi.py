"""The document says what the addresses do: generated requests find nothing else and no 5xx."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

if TYPE_CHECKING:
    from tests.ingest.conftest import World

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
KEEP = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


REPORTS = [
    "/api/v1/track/click",
    "/api/v1/track/pageview",
    "/api/v1/track/initiate_checkout",
    "/api/v1/track/lead",
    "/api/v1/track/identify",
]
WEBHOOKS = ["/api/v1/webhooks/{gateway}", "/api/v1/webhooks/{gateway}/{endpoint_key}"]


async def test_document_describes_every_address_and_answer(world: "World") -> None:
    reply = await world.call("GET", "/openapi.json")

    document = reply.json
    assert document["openapi"] == "3.1.0"
    assert {*REPORTS, *WEBHOOKS} == set(document["paths"])
    assert {"201", "400", "404", "405", "408", "413", "415", "422", "429", "503"} == set(
        document["paths"]["/api/v1/track/click"]["post"]["responses"]
    )
    click = document["components"]["schemas"]["ClickBody"]["properties"]
    assert click["fbclid"]["anyOf"][0]["maxLength"] == 1000


# A webhook's body may be anything, so there is no wrong one to make for it.
@pytest.mark.parametrize(
    ("path", "mode", "expected"),
    [
        *((path, GenerationMode.POSITIVE, 201) for path in REPORTS),
        *((path, GenerationMode.NEGATIVE, 422) for path in REPORTS),
        *((path, GenerationMode.POSITIVE, 401) for path in WEBHOOKS),
    ],
)
async def test_generated_requests_get_described_answers_and_no_5xx(
    world: "World", path: str, mode: GenerationMode, expected: int
) -> None:
    document = (await world.call("GET", "/openapi.json")).json
    # A real tenant and a real connection, so that the requests get past 404.
    path_parameters = {
        "gateway": world.connection.gateway,
        "endpoint_key": world.connection.endpoint_key,
    }
    headers = {"x-tenant-id": str(world.tenant.id)}
    statuses: set[int] = set()

    def exercise() -> None:
        operation = schemathesis.openapi.from_dict(document)[path]["POST"]

        @KEEP
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case: schemathesis.Case[Any]) -> None:
            case.path_parameters = {
                name: path_parameters[name] for name in case.path_parameters or {}
            }
            with requests.Session() as session:
                answer = case.call(base_url=world.url, headers=headers, session=session)
            statuses.add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        send()

    await asyncio.to_thread(exercise)

    assert expected in statuses
    assert statuses <= {200, 201, 400, 401, 413, 415, 422}
