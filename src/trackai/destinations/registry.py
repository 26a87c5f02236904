"""The one list of destinations: what each is called, how it is made, what its accounts need."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from trackai.destinations.http import Http
from trackai.destinations.meta import account as meta_account
from trackai.destinations.meta import destination as meta
from trackai.destinations.meta import payload as meta_payload
from trackai.destinations.meta import quality as meta_quality
from trackai.destinations.port import Counted, Destination, Summary
from trackai.errors import InvalidField
from trackai.model.clock import Clock
from trackai.model.delivery import OutgoingEvent
from trackai.model.tenant import DestinationAccount

_FACTORIES: Mapping[str, Callable[[Http, Clock], Destination]] = MappingProxyType(
    {meta.KIND: meta.MetaDestination}
)
# What destinations are called.
KINDS = tuple(_FACTORIES)
_VALIDATORS: Mapping[str, Callable[[DestinationAccount], None]] = MappingProxyType(
    {meta.KIND: meta_account.validate_account}
)

_HOSTS: Mapping[str, Callable[[DestinationAccount], str]] = MappingProxyType(
    {meta.KIND: meta_account.host_of}
)

_SUMMARIES: Mapping[str, Callable[[Sequence[Counted]], Summary]] = MappingProxyType(
    {meta.KIND: meta_quality.summarize}
)
_SHOWN: Mapping[str, Callable[[OutgoingEvent, Iterable[str]], str]] = MappingProxyType(
    {meta.KIND: meta_payload.show_event}
)


def destinations(http: Http, clock: Clock) -> Mapping[str, Destination]:
    """Return kind -> destination, all over one session."""
    return MappingProxyType({kind: make(http, clock) for kind, make in _FACTORIES.items()})


def validate_account(account: DestinationAccount) -> None:
    """Raise InvalidField, naming the field, for an account that no destination could send to."""
    validate = _VALIDATORS.get(account.kind)
    if validate is None:
        raise InvalidField(
            f"There is no such destination. Known: {', '.join(_VALIDATORS)}.", field="kind"
        )
    validate(account)


def host_of(account: DestinationAccount) -> str:
    """Return the host that the account's requests go to; blank for a kind that there is not."""
    find = _HOSTS.get(account.kind)
    return find(account) if find else ""


def summarize(kind: str, counted: Sequence[Counted]) -> Summary | None:
    """Return how well a platform can match events that were counted; None: it does not say."""
    find = _SUMMARIES.get(kind)
    return find(counted) if find else None


def show_event(kind: str, event: OutgoingEvent, keys: Iterable[str]) -> str | None:
    """Return what a platform is sent, without anybody's data; None: a kind that there is not.

    `keys` are those of the buyer and browser that it is or was sent with.
    """
    show = _SHOWN.get(kind)
    return show(event, keys) if show else None
