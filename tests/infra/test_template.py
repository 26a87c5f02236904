"""What is in the template: by Amazon's specification, by the house's rules, by what was asked."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.deploy.files import LONGEST_END_S, ROOT, SECRETS, SETTINGS
from tests.infra.conftest import ENVIRONMENT, URL, Template
from tests.infra.reading import Resources, flat, of

from trackai.alarms.catalogue import watched
from trackai.alarms.engines.cloudwatch import Place, Wish, metric_alarms
from trackai.alarms.engines.cloudwatch_dashboard import Account, dashboard_body
from trackai.alarms.message import words_of
from trackai.model.alarm import Severity
from trackai.queue.port import LEASE
from trackai.queue.sqs_client import MOST_RECEIVES, RETENTION_S
from trackai.settings import Settings

pytestmark = pytest.mark.xdist_group("stack")


def test_amazons_specification_finds_nothing(template_file: Path) -> None:
    # It ships no types.
    from cfnlint.api import (  # type: ignore[import-untyped]  # noqa: PLC0415 - takes a second
        ManualArgs,
        lint_file,
    )

    found = lint_file(template_file, ManualArgs(regions=["sa-east-1", "us-east-1"]))

    assert [] == [str(one) for one in found]


def test_containers_are_told_settings_that_exist_and_take_secrets_from_secrets_manager(
    resources: Resources,
) -> None:
    tasks = of(resources, "AWS::ECS::TaskDefinition")

    assert 4 == len(tasks)
    for task in tasks:
        (container,) = task["ContainerDefinitions"]
        told = {one["Name"]: one["Value"] for one in container["Environment"]}
        secret = {one["Name"] for one in container["Secrets"]}
        ours = {name for name in told if name.startswith("TRACKAI_")}
        assert ours | secret <= SETTINGS
        # The address is one without a password.
        assert ours & SECRETS == {"TRACKAI_DATABASE_URL"}
        assert "<DataDatabase" in flat(told["TRACKAI_DATABASE_URL"])
        assert "trackai@" in flat(told["TRACKAI_DATABASE_URL"])
        # Who answers there is asked, by what the image holds.
        proof = "?sslmode=verify-full&sslrootcert=/etc/ssl/rds-roots.pem"
        assert flat(told["TRACKAI_DATABASE_URL"]).endswith(proof)
        # The key that asks PagerDuty who is on call, where the checklist is looked at.
        looks = task["Family"] in {"trackai-production-api", "trackai-production-check"}
        asks = {"TRACKAI_PAGERDUTY_API_KEY"} if looks else set()
        assert {"TRACKAI_SECRET_KEY", "TRACKAI_SMTP_PASSWORD"} | asks == secret
        assert looks is ("TRACKAI_PAGERDUTY_SCHEDULE" in told)
        assert {"Ref": "SupportContact"} == told["TRACKAI_SUPPORT_CONTACT"]


def test_what_containers_are_told_starts_in_production(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = next(
        one
        for one in of(resources, "AWS::ECS::TaskDefinition")
        if one["Family"] == "trackai-production-worker"
    )
    monkeypatch.setenv("TRACKAI_ENVIRONMENT", "production")
    monkeypatch.setenv("TRACKAI_SECRET_KEY", "k" * 43)
    for one in task["ContainerDefinitions"][0]["Environment"]:
        value = one["Value"]
        monkeypatch.setenv(one["Name"], value if isinstance(value, str) else _known(value))

    settings = Settings().check_production()

    assert "elsewhere" == settings.pager.value
    assert settings.smtp_host is None


def _known(value: Any) -> str:
    unsaid = ("Smtp", "MailFrom", "SupportContact")
    return "" if any(one in str(value) for one in unsaid) else flat(value)


def test_containers_are_not_root_write_where_they_may_and_end_in_time(
    resources: Resources,
) -> None:
    for task in of(resources, "AWS::ECS::TaskDefinition"):
        (container,) = task["ContainerDefinitions"]

        assert container["ReadonlyRootFilesystem"] is True
        assert "10001:10001" == container["User"]
        assert container["StopTimeout"] > LONGEST_END_S
        assert {"/var/lib/trackai", "/tmp"} == {  # noqa: S108 - a container's
            one["ContainerPath"] for one in container["MountPoints"]
        }


def test_the_image_says_whose_the_places_are_that_containers_write_to(
    resources: Resources,
) -> None:
    written = {
        one["ContainerPath"]
        for task in of(resources, "AWS::ECS::TaskDefinition")
        for one in task["ContainerDefinitions"][0]["MountPoints"]
    }
    (said,) = re.findall(r"^VOLUME (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert written == set(json.loads(said))


def test_servers_keep_page_reports_on_files_that_outlive_them(resources: Resources) -> None:
    servers = next(
        one
        for one in of(resources, "AWS::ECS::TaskDefinition")
        if one["Family"] == "trackai-production-api"
    )
    (files,) = [one for one in servers["Volumes"] if "EFSVolumeConfiguration" in one]
    (home,) = [
        one
        for one in servers["ContainerDefinitions"][0]["MountPoints"]
        if one["SourceVolume"] == files["Name"]
    ]

    assert "/var/lib/trackai" == home["ContainerPath"]
    assert "ENABLED" == files["EFSVolumeConfiguration"]["TransitEncryption"]
    assert "ENABLED" == files["EFSVolumeConfiguration"]["AuthorizationConfig"]["IAM"]


def test_services_roll_and_go_back(resources: Resources) -> None:
    services = {one["ServiceName"]: one for one in of(resources, "AWS::ECS::Service")}

    assert {"api", "worker"} == services.keys()
    for one in services.values():
        rolling = one["DeploymentConfiguration"]
        assert {"Enable": True, "Rollback": True} == rolling["DeploymentCircuitBreaker"]
        assert 100 == rolling["MinimumHealthyPercent"]
        assert 200 == rolling["MaximumPercent"]
        assert "DISABLED" == one["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"]
        # Nothing runs before the first migration; later scaling decides.
        assert [{"Ref": "AWS::NoValue"}, 0] == one["DesiredCount"]["Fn::If"][1:]


def test_services_grow_by_processor_requests_and_age_from_two_copies_on(
    resources: Resources,
) -> None:
    targets = of(resources, "AWS::ApplicationAutoScaling::ScalableTarget")
    policies = of(resources, "AWS::ApplicationAutoScaling::ScalingPolicy")
    measured = {
        one["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"][
            "PredefinedMetricType"
        ]
        for one in policies
        if one["PolicyType"] == "TargetTrackingScaling"
    }
    ages = [
        one
        for one in of(resources, "AWS::CloudWatch::Alarm")
        if one["MetricName"] == "ApproximateAgeOfOldestMessage"
    ]

    assert [[2, 0], [2, 0]] == [one["MinCapacity"]["Fn::If"][1:] for one in targets]
    assert {"ECSServiceAverageCPUUtilization", "ALBRequestCountPerTarget"} == measured
    assert 2 == len(ages)
    assert {"AWS/SQS"} == {one["Namespace"] for one in ages}


def test_the_way_in_speaks_tls_alone_and_looks_at_servers(resources: Resources) -> None:
    listeners = {one["Port"]: one for one in of(resources, "AWS::ElasticLoadBalancingV2::Listener")}
    (servers,) = of(resources, "AWS::ElasticLoadBalancingV2::TargetGroup")

    assert "HTTPS" == listeners[443]["Protocol"]
    assert listeners[443]["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2")
    assert "redirect" == listeners[80]["DefaultActions"][0]["Type"]
    assert "/readyz" == servers["HealthCheckPath"]


def test_the_wall_counts_requests_of_an_address_and_lets_webhooks_pass(
    resources: Resources,
) -> None:
    (wall,) = of(resources, "AWS::WAFv2::WebACL")
    (rule,) = wall["Rules"]
    rate = rule["Statement"]["RateBasedStatement"]

    assert {"Block": {}} == rule["Action"]
    assert "IP" == rate["AggregateKeyType"]
    passed = rate["ScopeDownStatement"]["NotStatement"]["Statement"]["ByteMatchStatement"]
    assert "/api/v1/webhooks/" == passed["SearchString"]


def test_the_database_is_in_two_zones_kept_for_a_week_and_not_deleted_by_mistake(
    resources: Resources,
) -> None:
    (whole,) = [one for one in resources.values() if one["Type"] == "AWS::RDS::DBInstance"]
    database = whole["Properties"]

    assert database["MultiAZ"] is True
    assert 7 == database["BackupRetentionPeriod"]
    assert database["DeletionProtection"] is True
    assert database["StorageEncrypted"] is True
    assert database["PubliclyAccessible"] is False
    assert database["ManageMasterUserPassword"] is True
    assert "Snapshot" == whole["DeletionPolicy"]


def test_queues_are_those_that_the_command_makes(resources: Resources) -> None:
    queues = {one["QueueName"]: one for one in of(resources, "AWS::SQS::Queue")}

    assert {"capi-dispatch", "capi-dispatch-dlq"} == queues.keys()
    for one in queues.values():
        assert "KmsMasterKeyId" in one
        assert LEASE.total_seconds() == one["VisibilityTimeout"]
        assert RETENTION_S == one["MessageRetentionPeriod"]
    assert MOST_RECEIVES == queues["capi-dispatch"]["RedrivePolicy"]["maxReceiveCount"]


def test_secrets_are_named_encrypted_and_without_values(resources: Resources) -> None:
    secrets = {one["Name"]: one for one in of(resources, "AWS::SecretsManager::Secret")}
    names = (
        *("meta_capi_token", "perfectpay_secret", "hotmart_secret", "kiwify_secret"),
        *("stripe_secret", "secret_key", "smtp_password", "pagerduty_api_key"),
    )

    assert {f"trackai/production/{name}" for name in names} == secrets.keys()
    for one in secrets.values():
        assert "KmsKeyId" in one
        assert "SecretString" not in one


def test_alarms_are_the_catalogues_row_by_row(resources: Resources) -> None:
    place = Place(ENVIRONMENT, URL)
    wish = Wish(place, watched(production=True), words_of("en"))
    expected = {one["AlarmName"]: one for one in metric_alarms(wish)}
    found = {
        one["AlarmName"]: one
        for one in of(resources, "AWS::CloudWatch::Alarm")
        if one.get("Namespace") == "TrackAI"
    }
    topics = ("AlarmActions", "OKActions", "InsufficientDataActions")

    assert expected.keys() == found.keys()
    for name, row in expected.items():
        same = {key: value for key, value in row.items() if key not in topics}
        assert same == {key: value for key, value in found[name].items() if key not in topics}


def test_alarms_that_page_reach_pagerduty_and_say_when_it_is_over(
    template: Template, resources: Resources
) -> None:
    severity = {one.id: one.severity for one in watched(production=True).values()}
    told = {
        one["AlarmName"].rpartition("-")[2]: one
        for one in of(resources, "AWS::CloudWatch::Alarm")
        if one.get("Namespace") == "TrackAI"
    }
    subscribed = of(resources, "AWS::SNS::Subscription")

    for name, one in told.items():
        pages = severity.get(name, Severity.CRITICAL) is not Severity.MEDIUM
        assert pages == bool(one["AlarmActions"]), name
        assert one["AlarmActions"] == one["OKActions"]
    assert [{"Ref": "PagerDutyUrl"}] * 2 == [one["Endpoint"] for one in subscribed]
    assert template["Parameters"]["PagerDutyUrl"]["NoEcho"] is True


def test_the_dashboard_is_the_catalogues(resources: Resources) -> None:
    (drawn,) = of(resources, "AWS::CloudWatch::Dashboard")
    place = Place(ENVIRONMENT, URL)
    wish = Wish(place, watched(production=True), words_of("en"))
    account = Account("<AWS::Region>", "<AWS::AccountId>", "<AWS::Partition>")

    assert place.dashboard == drawn["DashboardName"]
    assert dashboard_body(wish, metric_alarms(wish), account) == json.loads(
        flat(drawn["DashboardBody"])
    )


@pytest.mark.usefixtures("template_file")
def test_alarms_of_a_rehearsal_look_at_what_its_processes_measure(tmp_path: Path) -> None:
    from infra.choices import Choices  # noqa: PLC0415 - it takes seconds
    from infra.stack import synthesize  # noqa: PLC0415

    url = "https://rehearsal.example.com"
    _, made = synthesize(Choices("rehearsal", url), tmp_path)
    found = of(made["Resources"], "AWS::CloudWatch::Alarm")
    # Those by which workers grow have no name of ours.
    alarms = [one for one in found if "AlarmName" in one]
    # The image runs in production, wherever it is put; nothing in a task says otherwise.
    (told,) = re.findall(r"TRACKAI_ENVIRONMENT=(\w+)", (ROOT / "Dockerfile").read_text())
    place = Place(told, url)
    looked_at = {
        (one["Name"], one["Value"])
        for alarm in alarms
        for metric in alarm.get("Metrics", [{"MetricStat": {"Metric": alarm}}])
        if "MetricStat" in metric
        for one in metric["MetricStat"]["Metric"].get("Dimensions", [])
        if one["Name"] in place.dimensions
    }

    assert set(place.dimensions.items()) == looked_at
    assert all(one["AlarmName"].startswith(place.prefix) for one in alarms)
    assert "TRACKAI_ENVIRONMENT" not in json.dumps(
        of(made["Resources"], "AWS::ECS::TaskDefinition")
    )


def test_logs_are_kept_for_a_month_encrypted(resources: Resources) -> None:
    groups = {one["LogGroupName"]: one for one in of(resources, "AWS::Logs::LogGroup")}

    kinds = ("api", "worker", "migrate", "check")
    assert {f"/trackai/production/{one}" for one in kinds} == groups.keys()
    assert {30} == {one["RetentionInDays"] for one in groups.values()}
    assert all("KmsKeyId" in one for one in groups.values())


def test_only_the_way_in_hears_the_internet(resources: Resources) -> None:
    open_to_all = [
        (name, rule["FromPort"])
        for name, one in resources.items()
        if one["Type"] == "AWS::EC2::SecurityGroup"
        for rule in one["Properties"].get("SecurityGroupIngress", [])
        if rule.get("CidrIp") == "0.0.0.0/0"
    ]

    assert {80, 443} == {port for _, port in open_to_all}
    assert all(name.startswith("NetworkEdge") for name, _ in open_to_all)


def test_what_holds_data_outlives_the_stack(resources: Resources) -> None:
    kinds = {
        "AWS::KMS::Key": "Retain",
        "AWS::EFS::FileSystem": "Retain",
        "AWS::Logs::LogGroup": "Retain",
        "AWS::SecretsManager::Secret": "Retain",
        "AWS::RDS::DBInstance": "Snapshot",
    }
    found = [(one["Type"], one.get("DeletionPolicy")) for one in resources.values()]

    assert kinds.items() >= {pair for pair in found if pair[0] in kinds}


def test_nothing_is_uploaded_beside_the_template(template: Template) -> None:
    assert "BootstrapVersion" not in template["Parameters"]
    assert Counter() == Counter(
        one["Type"] for one in template["Resources"].values() if "Lambda" in one["Type"]
    )


def test_the_construct_librarys_own_assertions_hold(template: Template) -> None:
    from aws_cdk import assertions  # noqa: PLC0415

    asserted = assertions.Template.from_json(template)

    asserted.resource_count_is("AWS::ECS::Service", 2)
    asserted.has_resource_properties(
        "AWS::RDS::DBInstance", {"MultiAZ": True, "DeletionProtection": True}
    )
    asserted.has_resource_properties(
        "AWS::ECS::Service",
        {
            "ServiceName": "api",
            "LoadBalancers": [assertions.Match.object_like({"ContainerPort": 8400})],
        },
    )
