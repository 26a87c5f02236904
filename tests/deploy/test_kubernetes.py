"""The manifests for Kubernetes: strictly what its API takes, and what this house does."""

import json
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from tests.deploy.files import DEPLOY, LONGEST_END_S, ROOT, SCHEMAS, SECRETS, SETTINGS, read_yaml

from trackai.cli.main import PLACES

PLACE = DEPLOY / "kubernetes"
DOCUMENTS = [
    pytest.param(one, id=f"{path.parent.name}/{path.stem}-{one['kind']}-{number}")
    for path in sorted(PLACE.rglob("*.yaml"))
    if path.name != "kustomization.yaml"
    for number, one in enumerate(read_yaml(path))
]
ALL: list[Any] = [one.values[0] for one in DOCUMENTS]
WORK = [one for one in ALL if "template" in one.get("spec", {})]
KUBECTL = shutil.which("kubectl")


def problems(document: Any) -> list[str]:
    schemas = json.loads((SCHEMAS / "kubernetes.json").read_text())
    schema = schemas["kinds"][document["kind"]] | {"$defs": schemas["$defs"]}
    found = jsonschema.Draft202012Validator(schema).iter_errors(document)
    return [f"{one.json_path}: {one.message}" for one in found]


def all_of(kind: str) -> Iterator[Any]:
    return (one for one in ALL if one["kind"] == kind)


def pod_of(document: Any) -> Any:
    return document["spec"]["template"]["spec"]


def names(documents: list[Any]) -> list[str]:
    return [one["metadata"]["name"] for one in documents]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_api_would_take_it(document: Any) -> None:
    assert [] == problems(document)


@pytest.mark.parametrize("place", [("spec",), ("spec", "template", "spec"), ("metadata",)])
def test_a_field_that_is_none_would_be_noticed(place: tuple[str, ...]) -> None:
    document = json.loads(json.dumps(WORK[0]))
    inside = document
    for step in place:
        inside = inside[step]
    inside["replicsa"] = 3

    assert problems(document)


@pytest.mark.parametrize("document", WORK, ids=names(WORK))
def test_a_pod_may_do_its_work_and_nothing_else(document: Any) -> None:
    pod = pod_of(document)
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    # With them a Service called trackai would set TRACKAI_PORT to tcp://...
    assert pod["enableServiceLinks"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert container["args"][0] in PLACES
    assert {"/run/secrets/trackai", "/tmp", "/var/lib/trackai"} == {  # noqa: S108 - in a pod
        one["mountPath"] for one in container["volumeMounts"]
    }
    assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_a_pod_has_the_time_that_it_takes_to_end(kind: str) -> None:
    for one in all_of(kind):
        (container,) = pod_of(one)["containers"]
        before = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
        taken = before.get("seconds", 0) + LONGEST_END_S

        assert pod_of(one)["terminationGracePeriodSeconds"] > taken


def test_no_secret_is_in_a_file() -> None:
    (settings,) = all_of("ConfigMap")

    assert set(settings["data"]) <= SETTINGS - SECRETS
    assert [] == list(all_of("Secret"))
    for one in WORK:
        (container,) = pod_of(one)["containers"]
        assert "env" not in container
        assert container["envFrom"] == [{"configMapRef": {"name": settings["metadata"]["name"]}}]


def test_servers_go_one_by_one_and_keep_what_they_acknowledged() -> None:
    (serve,) = all_of("StatefulSet")
    (container,) = pod_of(serve)["containers"]

    assert serve["spec"]["replicas"] >= 2
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert ["spool"] == names(serve["spec"]["volumeClaimTemplates"])
    assert {"maxUnavailable": 1} == {
        key: one["spec"][key] for one in all_of("PodDisruptionBudget") for key in ["maxUnavailable"]
    }


def test_selectors_find_pods_and_ports_have_names() -> None:
    pods = [one["spec"]["template"]["metadata"]["labels"] for one in WORK]
    ports = {
        port["name"]
        for one in WORK
        for container in pod_of(one)["containers"]
        for port in container.get("ports", [])
    }
    wanted = [one["spec"]["selector"] for one in all_of("Service")]
    wanted += [
        one["spec"]["selector"]["matchLabels"]
        for one in ALL
        if one["kind"] in {"StatefulSet", "Deployment", "PodDisruptionBudget"}
    ]
    called = {port["targetPort"] for one in all_of("Service") for port in one["spec"]["ports"]}

    assert wanted
    assert [] == [one for one in wanted if not any(one.items() <= pod.items() for pod in pods)]
    assert called <= ports


def test_nobody_talks_to_anybody_without_a_word() -> None:
    nobody, *others = all_of("NetworkPolicy")

    assert nobody["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    counters = next(one for one in others if one["metadata"]["name"] == "to-counters")
    (rule,) = counters["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": "metrics"}]
    assert all("namespaceSelector" in one for one in rule["from"])


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl here")
@pytest.mark.parametrize("folder", ["ground", "migrate", "run"])
def test_kustomize_puts_them_together(folder: str) -> None:
    import yaml  # noqa: PLC0415 - for what was printed, not for a file

    done = subprocess.run(  # noqa: S603 - the machine's own program
        [str(KUBECTL), "kustomize", PLACE / folder], capture_output=True, text=True, check=True
    )
    documents = list(yaml.safe_load_all(done.stdout))

    assert [] == [problem for one in documents for problem in problems(one)]
    assert {"trackai"} == {one["metadata"].get("namespace", "trackai") for one in documents}
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for one in documents:
        if "template" in one.get("spec", {}):
            (container,) = pod_of(one)["containers"]
            assert container["image"] == f"registry.example.com/trackai:{version}"
            labels = one["spec"]["template"]["metadata"]["labels"]
            assert labels["app.kubernetes.io/part-of"] == "trackai"
