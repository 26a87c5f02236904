"""Settings from the environment (prefix TRACKAI_), validated at start. Read by cli, app, worker.

Secrets may be files instead, in TRACKAI_SECRETS_DIR: so containers and systemd hand them over.

A wrong value stops the start with an error that names the variable and what it takes.
"""

import difflib
import ipaddress
import os
import re
from collections.abc import Iterable
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from trackai.errors import ConfigurationError

PREFIX = "TRACKAI_"
# What single commands read by themselves.
COMMAND_VARIABLES = frozenset(
    {"TRACKAI_GATEWAY_SECRET", "TRACKAI_DESTINATION_TOKEN", "TRACKAI_ALARM_SECRET"}
)
# How like a setting's name another must be to be taken for a slip of the pen; 1 = equal.
_NEARLY = 0.9


# Of TRACKAI_BACKUP_TO: something else makes backups.
ELSEWHERE = "elsewhere"
_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()/-]*)?")


class Environment(StrEnum):
    """Where the program runs; decides defaults that are safe only on a laptop."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    """How log lines look."""

    AUTO = "auto"  # readable on a terminal, JSON elsewhere and in production
    JSON = "json"
    CONSOLE = "console"


class QueueEngine(StrEnum):
    """What hands deliveries out to workers."""

    POSTGRES = "postgres"
    SQS = "sqs"


class MailTls(StrEnum):
    """How the way to the mail server is kept secret."""

    STARTTLS = "starttls"  # after a few words in the clear, usually port 587
    TLS = "tls"  # from the first byte on, usually port 465
    NONE = "none"  # not at all: only for a server on the same machine


class MetricsLogFormat(StrEnum):
    """How metrics are written to standard output."""

    OFF = "off"
    EMF = "emf"  # embedded metric format: CloudWatch takes them from its logs


class Pager(StrEnum):
    """Who calls PagerDuty for this environment: one of them, or everybody is woken twice."""

    PROGRAM = "program"
    ELSEWHERE = "elsewhere"  # CloudWatch by SNS, or an Alertmanager


# Where PagerDuty takes events; another one is a stand-in.
PAGERDUTY_URLS = ("https://events.pagerduty.com", "https://events.eu.pagerduty.com")
# Where its REST API is, which knows who is on call.
PAGERDUTY_API_URLS = ("https://api.pagerduty.com", "https://api.eu.pagerduty.com")


class Settings(BaseSettings):
    """All settings, with their defaults for a laptop."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    environment: Environment = Environment.DEVELOPMENT
    # A directory with a file a secret, each named as its variable; what is in the environment wins.
    secrets_dir: Path | None = None
    # Where the embedded database, the development key and sockets live.
    data_dir: Path = Path(".trackai")
    # postgresql://user:password@host:port/name; unset = the embedded PostgreSQL in data_dir.
    database_url: SecretStr | None = None
    # Where the password of that address is kept, when it is not in it: aws:NAME or file:NAME.
    database_password_from: str | None = None
    # 32 bytes in base64; several, comma-separated: the first encrypts, all decrypt.
    # Unset in development: made on first start in data_dir.
    secret_key: SecretStr | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8400, ge=0, le=65535)
    # How the outside reaches this installation; used to print webhook addresses.
    public_url: str | None = None
    # Proxies whose X-Forwarded-For is believed: addresses or networks, comma-separated.
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    log_format: LogFormat = LogFormat.AUTO
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    # Most disk that log lines may take in data_dir/logs, and for how long; 0 = none are kept.
    log_mib: int = Field(default=64, ge=0, le=65536)
    log_days: float = Field(default=7.0, gt=0, le=365)
    # Where lines are kept at CloudWatch Logs while no files are: what the names of the groups begin
    # with, such as /trackai/production/. For the go-live checklist.
    log_groups: str = Field(default="", max_length=512, pattern="^[A-Za-z0-9/_.#-]*$")
    # Of equal log lines so many a second are written, in each process; 0 = all.
    log_rate: int = Field(default=200, ge=0, le=1_000_000)
    # Where traces go by OTLP, such as http://127.0.0.1:4318, and of which share of sales;
    # unset = nowhere. Takes the extra `otel`.
    traces_url: str | None = None
    traces_ratio: float = Field(default=1.0, gt=0, le=1)
    # Requests a second and tenant on the tracking addresses, and how many may come at once.
    track_rate: float = Field(default=2000.0, gt=0)
    track_burst: int = Field(default=4000, ge=1)
    # Most disk that page reports may take in data_dir/spool while the database is away; 0 = none.
    spool_mib: int = Field(default=256, ge=0, le=65536)
    # How many receipts a worker processes side by side.
    process_concurrency: int = Field(default=4, ge=1, le=64)
    # How many requests to ad platforms are under way side by side.
    dispatch_concurrency: int = Field(default=32, ge=1, le=256)
    # The server that takes messages to people; unset = none, on a laptop the console shows them.
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: MailTls = MailTls.STARTTLS
    # Whom messages are from: an address, with or without a name before it.
    mail_from: str | None = None
    # What hands deliveries out to workers: the database itself, or Amazon SQS.
    queue: QueueEngine = QueueEngine.POSTGRES
    # The queues at Amazon SQS; account, region and endpoint are the ordinary AWS settings.
    sqs_queue: str = Field(default="capi-dispatch", pattern="^[A-Za-z0-9_-]{1,80}$")
    sqs_dead_queue: str = Field(default="capi-dispatch-dlq", pattern="^[A-Za-z0-9_-]{1,80}$")
    # Tries that may fail while the destination is well before a delivery is a dead letter.
    dispatch_tries: int = Field(default=5, ge=1, le=100)
    # Requests in a row that must fail to open a breaker, and how long it is open at first.
    breaker_failures: int = Field(default=5, ge=1, le=1000)
    breaker_pause_s: float = Field(default=60.0, ge=1, le=900)
    # Days that webhooks with a failed proof are kept for diagnosis.
    rejection_days: float = Field(default=1.0, gt=0, le=30)
    # Where pixels connected on pages are sent to: a stand-in for Meta. Unset = Meta.
    meta_url: str | None = None
    # Where each process shows its counters to Prometheus: an address that only the inside reaches.
    # Unset = nowhere; of several server processes each has a port, one after the other.
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    # Whether metrics are written to standard output, a line a sample, for what collects logs.
    metrics_log: MetricsLogFormat = MetricsLogFormat.OFF
    # Who calls PagerDuty: this program, by its routes, or something else that watches.
    pager: Pager = Pager.PROGRAM
    # Where PagerDuty takes events; accounts of the European region have another place.
    pagerduty_url: str = PAGERDUTY_URLS[0]
    # Who is on call is asked at PagerDuty's REST API: with this key, of a schedule or a policy.
    pagerduty_api_url: str = PAGERDUTY_API_URLS[0]
    pagerduty_api_key: SecretStr | None = None
    pagerduty_schedule: str | None = Field(default=None, pattern="^[A-Za-z0-9]{1,64}$")
    pagerduty_policy: str | None = Field(default=None, pattern="^[A-Za-z0-9]{1,64}$")
    # Where somebody is reached at any hour: what the go-live checklist shows and is signed for.
    support_contact: str = Field(default="", max_length=200)
    # Where backups go: a directory, or s3://bucket/prefix (account, region and endpoint are the
    # ordinary AWS settings); "elsewhere" when something else makes them. Unset = none are made.
    backup_to: str | None = None
    # Days that backups are kept; the newest stays in any case.
    backup_days: int = Field(default=7, ge=1, le=3650)
    # Days after which a backup is restored again for a try, after it was made; 0 = only by command.
    backup_verify_days: int = Field(default=7, ge=0, le=365)
    # Gateways installed as plugins (entry points) are loaded only when this is on.
    gateway_plugins: bool = False

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_proxies(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            ipaddress.ip_network(part, strict=False)
        return value

    @field_validator("backup_to")
    @classmethod
    def _check_vault(cls, value: str | None) -> str | None:
        if value is not None and "://" in value and not _S3.fullmatch(value):
            raise ValueError("takes a directory, s3://bucket/prefix, or elsewhere")
        return value

    @field_validator("mail_from")
    @classmethod
    def _check_sender(cls, value: str | None) -> str | None:
        if value is not None and (not value.isprintable() or "@" not in parseaddr(value)[1]):
            raise ValueError("takes an e-mail address, such as Track AI <no-reply@example.com>")
        return value

    @model_validator(mode="after")
    def _check_mail(self) -> Self:
        if self.smtp_host is None:
            return self
        if self.mail_from is None:
            raise ValueError("TRACKAI_SMTP_HOST also needs TRACKAI_MAIL_FROM")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("TRACKAI_SMTP_USER and TRACKAI_SMTP_PASSWORD go together")
        if self.smtp_user is not None and self.smtp_tls is MailTls.NONE:
            raise ValueError("TRACKAI_SMTP_TLS=none would send TRACKAI_SMTP_PASSWORD in the clear")
        return self

    @field_validator(
        *("database_url", "secret_key", "public_url", "smtp_host", "smtp_user", "smtp_password"),
        *("mail_from", "meta_url", "metrics_port", "traces_url", "backup_to"),
        *("pagerduty_api_key", "pagerduty_schedule", "pagerduty_policy"),
        *("secrets_dir", "database_password_from"),
        mode="before",
    )
    @classmethod
    def _blank_is_unset(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @property
    def production(self) -> bool:
        """True where laptop defaults must not apply."""
        return self.environment is Environment.PRODUCTION

    @property
    def vault(self) -> str | None:
        """Where this program's backups go; None when it makes none."""
        return None if self.backup_to == ELSEWHERE else self.backup_to

    @property
    def base_url(self) -> str:
        """Address under which this installation is reached, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    def check_production(self) -> Self:
        """Refuse what must not run in production; ConfigurationError names the variable."""
        if not self.production:
            return self
        for name in ("database_url", "secret_key", "public_url"):
            if getattr(self, name) is None:
                raise ConfigurationError(
                    f"{PREFIX}{name.upper()} must be set when {PREFIX}ENVIRONMENT=production."
                )
        if self.pagerduty_url.rstrip("/") not in PAGERDUTY_URLS:
            raise ConfigurationError(
                f"{PREFIX}PAGERDUTY_URL is {' or '.join(PAGERDUTY_URLS)} when "
                f"{PREFIX}ENVIRONMENT=production: any other is a stand-in."
            )
        if self.pagerduty_api_url.rstrip("/") not in PAGERDUTY_API_URLS:
            raise ConfigurationError(
                f"{PREFIX}PAGERDUTY_API_URL is {' or '.join(PAGERDUTY_API_URLS)} when "
                f"{PREFIX}ENVIRONMENT=production: any other is a stand-in."
            )
        if self.meta_url is not None:
            raise ConfigurationError(
                f"{PREFIX}META_URL is for a stand-in: unset it when {PREFIX}ENVIRONMENT=production."
            )
        return self


def load_settings() -> Settings:
    """Read and validate the environment; ConfigurationError names every wrong variable."""
    environment = os.environ  # noqa: TID251 - here is where the environment is read
    _refuse_misspelled(environment)
    secrets = _secrets_of(environment.get(f"{PREFIX}SECRETS_DIR", ""))
    try:
        # The directory is an argument of pydantic-settings that its types hide.
        return Settings(_secrets_dir=secrets).check_production()  # type: ignore[call-arg]
    except ValidationError as error:
        lines = [
            _line(*problem["loc"], said=problem["msg"])
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationError("Wrong settings:\n  " + "\n  ".join(lines)) from None


def _secrets_of(named: str) -> Path | None:
    """Return the directory of secrets; without it another database might be opened."""
    if not named.strip():
        return None
    place = Path(named)
    try:
        _refuse_misspelled(file.name.upper() for file in place.iterdir())
    except OSError as error:
        raise ConfigurationError(
            f"{PREFIX}SECRETS_DIR: cannot be read ({error.strerror}). It takes a directory with "
            f"a file a secret, such as {PREFIX.lower()}secret_key."
        ) from None
    return place


def _line(*where: object, said: str) -> str:
    """Return what is wrong with a setting; of several together the sentence names them itself."""
    said = said.removeprefix("Value error, ")
    return f"{PREFIX}{'_'.join(map(str, where)).upper()}: {said}" if where else said


def _refuse_misspelled(names: Iterable[str]) -> None:
    """Refuse names that are nearly a setting's: without it another database might be opened.

    Others pass: a cluster may put names of its own, such as TRACKAI_SERVICE_HOST, beside ours.
    """
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    for name in names:
        if not name.startswith(PREFIX) or name in known or name in COMMAND_VARIABLES:
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=_NEARLY)
        if near:
            raise ConfigurationError(f"{name} is no setting. Did you mean {near[0]}?")
