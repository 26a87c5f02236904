"""The template, made once a run; a stand-in for Amazon, and the stack made there."""

import importlib.util
import json
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.session import get_session

if TYPE_CHECKING:
    from types_aiobotocore_cloudformation import CloudFormationClient

Template = dict[str, Any]

ENVIRONMENT = "production"
URL = "https://track.example.com"
STACK = f"trackai-{ENVIRONMENT}"
ACCOUNT, REGION = "123456789012", "sa-east-1"
PASSWORD = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!db-made-up-AbCdEf"


def _missing() -> str | None:
    if shutil.which("node") is None:
        return "there is no node: apt-get install nodejs"
    if importlib.util.find_spec("aws_cdk") is None:
        return "the construct library is not installed: make .venv/.infra"
    return None


@pytest.fixture(scope="session")
def template_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the template is, as `python -m infra synth` makes it."""
    missing = _missing()
    if missing is not None:
        if os.environ.get("TRACKAI_TEST_STACK") == "required":  # noqa: TID251 - the tests' own
            pytest.fail(missing)
        pytest.skip(missing)
    from infra.choices import Choices  # noqa: PLC0415 - it takes seconds
    from infra.stack import synthesize  # noqa: PLC0415

    path, _ = synthesize(Choices(ENVIRONMENT, URL), tmp_path_factory.mktemp("stack"))
    return path


@pytest.fixture(scope="session")
def template_text(template_file: Path) -> str:
    return template_file.read_text()


@pytest.fixture(scope="session")
def template(template_text: str) -> Template:
    made: Template = json.loads(template_text)
    return made


@pytest.fixture(scope="session")
def resources(template: Template) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = template["Resources"]
    return found


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Point the ordinary AWS settings at an empty stand-in that knows the database's secret."""
    from moto.rds.models import DBInstance  # noqa: PLC0415 - takes a second to import
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    known = DBInstance.get_cfn_attribute

    def attribute(self: DBInstance, name: str) -> Any:
        # moto makes that secret for the API, and not for CloudFormation.
        return PASSWORD if name == "MasterUserSecret.SecretArn" else known(self, name)

    def has_attribute(name: str) -> bool:
        return name in {"Endpoint.Address", "Endpoint.Port", "MasterUserSecret.SecretArn"}

    monkeypatch.setattr(DBInstance, "get_cfn_attribute", attribute)
    monkeypatch.setattr(DBInstance, "has_cfn_attr", staticmethod(has_attribute))
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        yield
    finally:
        server.stop()
        _forget()


def _forget() -> None:
    """Empty the stand-in: what it knows belongs to this process, not to a server."""
    from moto.moto_api._internal.models import moto_api_backend  # noqa: PLC0415

    moto_api_backend.reset()


@pytest.fixture
async def stacks(cloud: None) -> AsyncIterator["CloudFormationClient"]:  # noqa: ARG001
    async with get_session().create_client("cloudformation") as client:
        yield client


@pytest.fixture
async def deployed(stacks: "CloudFormationClient", template_text: str) -> "CloudFormationClient":
    """Make the stack of the template as it is, with every parameter said."""
    async with get_session().create_client("acm") as certificates:
        certificate = await certificates.request_certificate(DomainName="track.example.com")
    said = {
        "ImageRepository": "trackai",
        "ImageTag": "one",
        "CertificateArn": certificate["CertificateArn"],
        "SmtpHost": "",
        "SmtpUser": "",
        "MailFrom": "",
        "SupportContact": "",
        "PagerDutySchedule": "",
        "DatabaseClass": "db.t4g.medium",
        "Stage": "first",
        "PagerDutyUrl": "https://events.example.com/integration/made-up/enqueue",
    }
    await stacks.create_stack(
        StackName=STACK,
        TemplateBody=template_text,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in said.items()
        ],
    )
    return stacks
