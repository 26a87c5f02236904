"""Every error of Track AI, by who must act.

    TrackaiError
      RequestRefused      the caller        4xx
      Unavailable         wait and retry    503
      ContractBroken      the platform      kept, counted, never lost
      InvariantBroken     us: a bug         500
    ConfigurationError    the operator      outside the tree: no worker's catch-all may swallow it

Each leaf has a stable `code`, an HTTP `status` and a sentence that says what to do. No sentence
carries personal data or a secret.
"""

from typing import ClassVar


class TrackaiError(Exception):
    """Base of all expected failures; `str()` is the sentence for people."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(
        self, message: str, *, field: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.field = field
        self.retry_after_s = retry_after_s


class RequestRefused(TrackaiError):
    """The caller must change the request."""

    code = "request_refused"
    status = 400


class MalformedBody(RequestRefused):
    """The body is not what its content type says."""

    code = "malformed_body"


class TenantMissing(RequestRefused):
    """No tenant was named."""

    code = "tenant_missing"


class NotAuthenticated(RequestRefused):
    """The caller did not say who it is, or with a key that opens nothing."""

    code = "not_authenticated"
    status = 401


class SignInFailed(RequestRefused):
    """E-mail and password do not fit together, or nobody has this e-mail; it is not said which."""

    code = "sign_in_failed"
    status = 401

    def __init__(self) -> None:
        super().__init__("E-mail and password do not fit together.")


class CodeRefused(RequestRefused):
    """A code of a second factor is wrong, or was used already."""

    code = "code_refused"
    status = 401

    def __init__(self) -> None:
        super().__init__("That code is wrong, or was used already.")


class ProofFailed(RequestRefused):
    """A webhook's authenticity could not be proved."""

    code = "proof_failed"
    status = 401


class Forbidden(RequestRefused):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403


class NoTeam(Forbidden):
    """Somebody is signed in and belongs to no tenant."""

    code = "no_team"

    def __init__(self) -> None:
        super().__init__("You are in no team. Ask for an invitation.")


class OperatorsOnly(Forbidden):
    """Somebody asks for what only those may who run the installation."""

    code = "operators_only"

    def __init__(self) -> None:
        super().__init__("Only operators of the installation may do that.")


class FromElsewhere(Forbidden):
    """A form was sent by another site's page, or by a browser that does not say by which."""

    code = "from_elsewhere"

    def __init__(self) -> None:
        super().__init__("The request did not come from a page of this site.")


class PageTooOld(Forbidden):
    """A form lacks the proof that its page was shown to this session."""

    code = "page_too_old"

    def __init__(self) -> None:
        super().__init__("The page is too old. Open it again, and send it once more.")


class NotFound(RequestRefused):
    """There is nothing at this address or under this id."""

    code = "not_found"
    status = 404


class LinkGone(NotFound):
    """A one-time link was used, has expired, or never was."""

    code = "link_gone"

    def __init__(self) -> None:
        super().__init__("This link was used already, or has expired. Ask for a new one.")


class PasswordLinkGone(LinkGone):
    """One that set a password; whoever lost theirs asks for another."""

    code = "password_link_gone"


class UnknownTenant(NotFound):
    """The tenant or site key named does not exist."""

    code = "unknown_tenant"


class UnknownGateway(NotFound):
    """The gateway or webhook address named does not exist."""

    code = "unknown_gateway"


class MethodNotAllowed(RequestRefused):
    """The address exists, the method does not."""

    code = "method_not_allowed"
    status = 405


class BodyTooSlow(RequestRefused):
    """The body did not arrive in time."""

    code = "body_too_slow"
    status = 408


class Conflict(RequestRefused):
    """What the caller wants to create exists already."""

    code = "conflict"
    status = 409


class BodyTooLarge(RequestRefused):
    """The body is larger than the address takes."""

    code = "body_too_large"
    status = 413


class UnsupportedBody(RequestRefused):
    """The content type or encoding is not taken here."""

    code = "unsupported_body"
    status = 415


class InvalidField(RequestRefused):
    """A field has a wrong type or value; `field` names it."""

    code = "invalid_field"
    status = 422


class TooManyRequests(RequestRefused):
    """The caller is over its rate; `retry_after_s` says when to come back."""

    code = "too_many_requests"
    status = 429


class Unavailable(TrackaiError):
    """Something is away for now; the same request may succeed later."""

    code = "unavailable"
    status = 503


class StorageUnavailable(Unavailable):
    """The database cannot be reached or refuses for now."""

    code = "storage_unavailable"


class StorageGone(StorageUnavailable):
    """The database does not answer at all; the next one who asks will not be answered either."""


class SpoolFull(Unavailable):
    """The database is away, and the place for what pages report meanwhile is used up."""

    code = "spool_full"


class QueueUnavailable(Unavailable):
    """The queue outside the database cannot be reached or refuses for now."""

    code = "queue_unavailable"


class SecretUnavailable(Unavailable):
    """A secret that is kept elsewhere cannot be looked up for now, and was not known before."""

    code = "secret_unavailable"

    def __init__(self, reason: str = "unknown") -> None:
        super().__init__("A secret cannot be looked up for now.", retry_after_s=5.0)
        self.reason = reason  # a code, for the log; never a value


class SecretMissing(SecretUnavailable):
    """There is no secret where it is said to be kept; whoever keeps it has to put it there."""

    code = "secret_missing"

    def __init__(self) -> None:
        super().__init__("missing")


class CloudWatchUnavailable(Unavailable):
    """Amazon CloudWatch cannot be reached, or takes no more for now."""

    code = "cloudwatch_unavailable"


class DestinationUnreachable(Unavailable):
    """An ad platform cannot be reached for now."""

    code = "destination_unreachable"


class DestinationTimeout(DestinationUnreachable):
    """An ad platform did not answer in time; it may have taken what was sent."""

    code = "destination_timeout"


class MailNotSent(Unavailable):
    """A message to a person did not go; the log says why."""

    code = "mail_not_sent"

    def __init__(self) -> None:
        super().__init__("The message could not be sent.")


class BackupFailed(Unavailable):
    """A backup could not be made, kept or read for now; none that was complete is harmed."""

    code = "backup_failed"


class ContractBroken(TrackaiError):
    """A platform sent what its contract does not allow."""

    code = "contract_broken"
    status = 502


class PayloadNotUnderstood(ContractBroken):
    """An authentic webhook could not be parsed; its receipt is kept and can be reprocessed."""

    code = "payload_not_understood"


class BackupDamaged(ContractBroken):
    """A backup is not as it was written, or not of a key that is at hand."""

    code = "backup_damaged"


class InvariantBroken(TrackaiError):
    """A bug of ours."""

    code = "invariant_broken"


class StatementRefused(InvariantBroken):
    """The database refused a value or a statement; never retried unchanged."""

    code = "statement_refused"


class ConfigurationError(Exception):
    """The operator must change a setting; stops the start and names the setting."""
