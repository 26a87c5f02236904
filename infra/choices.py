"""What is decided when the template is made, and what whoever deploys it decides.

Address and environment name alarms and secrets, so they are in the template. Everything else is a
parameter: the same template serves a rehearsal and the real thing.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from aws_cdk import CfnParameter, Stack

from trackai.errors import ConfigurationError

_ENVIRONMENT = re.compile(r"[a-z][a-z0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Choices:
    """What is in the template."""

    environment: str = "production"
    url: str = "https://track.example.com"
    language: str = "en"

    def __post_init__(self) -> None:
        """Refuse what no alarm or secret could be named after."""
        parts = urlsplit(self.url)
        if not _ENVIRONMENT.fullmatch(self.environment):
            raise ConfigurationError("--environment takes a short word of small letters.")
        if parts.scheme != "https" or not parts.netloc or parts.path.strip("/") or parts.query:
            raise ConfigurationError("--url takes an address such as https://track.example.com")

    @property
    def secrets(self) -> str:
        """Return what names of secrets begin with."""
        return f"trackai/{self.environment}"

    @property
    def logs(self) -> str:
        """Return what names of log groups begin with."""
        return f"/trackai/{self.environment}/"


class Parameters:
    """What the template asks for."""

    def __init__(self, stack: Stack) -> None:
        def ask(name: str, said: str, default: str | None = None) -> str:
            made = CfnParameter(stack, name, description=said, default=default)
            return made.value_as_string

        self.repository = ask("ImageRepository", "Repository of Amazon ECR.", "trackai")
        self.tag = ask("ImageTag", "Which image of it: a tag that never moves.")
        self.certificate = ask(
            "CertificateArn", "Certificate of the address, in ACM of this region."
        )
        self.smtp_host = ask("SmtpHost", "Mail server. Blank: no messages to people.", "")
        self.smtp_user = ask("SmtpUser", "Who signs in there.", "")
        self.mail_from = ask("MailFrom", "Whom messages are from.", "")
        self.support_contact = ask(
            "SupportContact", "Where customers reach somebody at any hour.", ""
        )
        self.schedule = ask(
            "PagerDutySchedule", "Schedule that is asked who is on call. Blank: nobody is.", ""
        )
        self.database_class = ask(
            "DatabaseClass", "Size of the database's machines.", "db.t4g.medium"
        )
        self.stage = CfnParameter(
            stack,
            "Stage",
            description="first: nothing runs, for there are no tables. running: after a migration.",
            allowed_values=["first", "running"],
            default="first",
        )
        self.pagerduty = CfnParameter(
            stack,
            "PagerDutyUrl",
            description="Integration URL of Amazon CloudWatch at PagerDuty. It is a secret.",
            no_echo=True,
            allowed_pattern="https://.+",
        ).value_as_string
