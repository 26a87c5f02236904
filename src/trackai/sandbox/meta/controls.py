"""What can be done to the stand-in and seen of it, for tests and for its own addresses alike."""

import datetime as dt
from typing import Any

from trackai.model.clock import Clock
from trackai.sandbox.meta.faults import Fault, Faults, Script
from trackai.sandbox.meta.state import DEFAULT_SCOPES, ReceivedEvent, State, Token


class Controls:
    """Registers datasets and tokens, orders failures, shows what arrived."""

    def __init__(self, clock: Clock, *, keep: int) -> None:
        self._clock = clock
        self._state = State(keep=keep)
        self._faults = Faults()

    def reset(self) -> None:
        """Forget datasets, tokens, events, counters and failures still to come."""
        self._state.reset()
        self._faults.clear()

    def add_dataset(self, dataset: str, name: str = "") -> None:
        """Register a dataset (a pixel)."""
        self._state.add_dataset(dataset, name)

    def add_token(
        self,
        token: str,
        *,
        datasets: list[str] | None = None,
        scopes: tuple[str, ...] = DEFAULT_SCOPES,
        expires_at: dt.datetime | None = None,
        data_access_expires_at: dt.datetime | None = None,
    ) -> None:
        """Register a token for these datasets, None meaning all."""
        self._state.add_token(
            Token(
                token,
                scopes=scopes,
                datasets=None if datasets is None else frozenset(datasets),
                expires_at=expires_at,
                data_access_expires_at=data_access_expires_at,
                issued_at=self._clock.now(),
            )
        )

    def add_ad_days(self, account: str, rows: list[dict[str, str]]) -> None:
        """Let an ad account, by its digits, have spent this: rows as insights tell them."""
        self._state.ad_days.setdefault(account, []).extend(rows)

    def script_fault(self, kind: str, *, times: int | None = 1, **more: Any) -> None:
        """Order a failure; `more` are the fields of faults.Script, such as match or seconds."""
        self.order(Script(Fault(kind), times=times, **more))

    def clear_faults(self) -> None:
        """Fail no more."""
        self._faults.clear()

    def order(self, script: Script) -> None:
        """Order a failure; ValueError when it cannot be acted on."""
        self._faults.add(script)

    def accepted(
        self, dataset: str | None = None, event_name: str | None = None
    ) -> list[ReceivedEvent]:
        """Return the newest accepted events in order of arrival, duplicates not among them."""
        return [
            event
            for event in self._state.events
            if dataset in (None, event.dataset) and event_name in (None, event.event_name)
        ]

    @property
    def duplicates(self) -> list[ReceivedEvent]:
        """The newest events that were discarded as duplicates, in order of arrival."""
        return list(self._state.duplicates)

    def test_events(self, code: str | None = None) -> list[ReceivedEvent]:
        """Return what arrived with a test_event_code, in order of arrival."""
        return [e for e in self._state.test_events if code in (None, e.test_event_code)]

    def summary(self) -> dict[str, Any]:
        """Return the counters: exact since the last reset."""
        state = self._state
        return {
            "requests": state.requests,
            "answers": {str(status): n for status, n in sorted(state.answers.items())},
            "accepted": state.accepted,
            "duplicates": state.duplicate,
            "refused": dict(sorted(state.refused.items())),
            "by_event_name": dict(sorted(state.by_name.items())),
            "token_in": dict(sorted(state.token_places.items())),
        }
