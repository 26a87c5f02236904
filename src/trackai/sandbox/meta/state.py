"""What the stand-in remembers: datasets, tokens, the newest accepted events, exact counters."""

import datetime as dt
import hashlib
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from typing import Any

DEDUP_WINDOW = dt.timedelta(hours=48)  # same dataset, event_name and event_id: documented
_DEDUP_KEYS = 500_000  # remembered at most; older ones are no longer recognised
_NAMED_COUNTS = 1_000  # distinct event names counted apart; further ones count as "other"
_REGISTERED = 10_000  # datasets and tokens, each
DEFAULT_SCOPES = ("ads_management", "business_management")


class TooMany(ValueError):
    """The sandbox takes no more registrations."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token as a system user holds it; `datasets` None means all."""

    value: str
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    datasets: frozenset[str] | None = None
    expires_at: dt.datetime | None = None
    data_access_expires_at: dt.datetime | None = None
    issued_at: dt.datetime | None = None

    def expired(self, now: dt.datetime) -> bool:
        """Say whether the token's life is over."""
        return self.expires_at is not None and self.expires_at <= now

    def may_use(self, dataset: str) -> bool:
        """Say whether the dataset is assigned to the token."""
        return self.datasets is None or dataset in self.datasets


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One valid event as it came; `duplicate` ones are counted and then discarded."""

    number: int
    dataset: str
    event_name: str
    event_id: str | None
    received_at: dt.datetime
    payload: dict[str, Any]
    test_event_code: str | None = None
    duplicate: bool = False


class State:
    """Events are bounded by `keep`, the newest stay; counters are exact."""

    def __init__(self, *, keep: int) -> None:
        self._keep = keep
        self.reset()

    def reset(self) -> None:
        """Start anew."""
        keep = self._keep
        self.datasets: dict[str, str] = {}
        self.tokens: dict[str, Token] = {}
        self.ad_days: dict[str, list[dict[str, str]]] = {}  # by ad account: insights, a row an ad
        self.events: deque[ReceivedEvent] = deque(maxlen=keep)
        self.test_events: deque[ReceivedEvent] = deque(maxlen=keep)
        self.duplicates: deque[ReceivedEvent] = deque(maxlen=keep)
        self.requests = 0
        self.answers: Counter[int] = Counter()
        self.accepted = 0
        self.duplicate = 0
        self.refused: Counter[str] = Counter()
        self.by_name: Counter[str] = Counter()
        self.token_places: Counter[str] = Counter()
        self._seen: OrderedDict[bytes, dt.datetime] = OrderedDict()
        self._received = 0

    def add_dataset(self, dataset: str, name: str) -> None:
        """Register a dataset, or rename it."""
        if len(self.datasets) >= _REGISTERED and dataset not in self.datasets:
            raise TooMany("no more datasets")
        self.datasets[dataset] = name

    def add_token(self, token: Token) -> None:
        """Register a token, or replace it."""
        if len(self.tokens) >= _REGISTERED and token.value not in self.tokens:
            raise TooMany("no more tokens")
        self.tokens[token.value] = token

    def store(
        self, dataset: str, payload: dict[str, Any], now: dt.datetime, test_event_code: str | None
    ) -> None:
        """Take one valid event; a repeat within the window is counted and discarded."""
        self._received += 1
        event_id = payload.get("event_id")
        event = ReceivedEvent(
            number=self._received,
            dataset=dataset,
            event_name=payload["event_name"],
            event_id=event_id,
            received_at=now,
            payload=payload,
            test_event_code=test_event_code,
            duplicate=event_id is not None and self._seen_before(dataset, payload, now),
        )
        if test_event_code is not None:
            self.test_events.append(event)
        if event.duplicate:
            self.duplicate += 1
            self.duplicates.append(event)
            return
        self.accepted += 1
        known = event.event_name in self.by_name or len(self.by_name) < _NAMED_COUNTS
        self.by_name[event.event_name if known else "other"] += 1
        self.events.append(event)

    def _seen_before(self, dataset: str, payload: dict[str, Any], now: dt.datetime) -> bool:
        text = "\0".join((dataset, payload["event_name"], payload["event_id"]))
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        first = self._seen.get(key)
        if first is not None and now - first < DEDUP_WINDOW:
            return True
        self._seen[key] = now
        self._seen.move_to_end(key)
        while len(self._seen) > _DEDUP_KEYS:
            self._seen.popitem(last=False)
        return False
