"""Tells what happens, one line an event: what the player does, and what the program logs of it."""

import logging
import time
from collections.abc import Mapping

import structlog
from rich.console import Console
from rich.markup import escape
from structlog.typing import EventDict, WrappedLogger

from trackai.model.match import MatchStrategy

_COLOURS: Mapping[str, str] = {
    "click": "cyan",
    "lead": "cyan",
    "webhook": "yellow",
    "matched": "magenta",
    "accepted": "green",
}


class Narrator:
    """Prints lines; while it listens, the program's log events are told and not printed raw."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._started = time.monotonic()

    def tell(self, what: str, text: str, *, good: bool = True) -> None:
        """Tell one thing in one line."""
        colour = _COLOURS.get(what, "white") if good else "red"
        seconds = time.monotonic() - self._started
        self.console.print(f"{seconds:7.2f}s  [{colour}]{what.ljust(17)}[/] {escape(text)}")

    def listen(self) -> None:
        """Take this process's log events from now on."""
        structlog.configure(
            processors=[structlog.processors.add_log_level, self._take],
            # The command line's own level may leave out what the audience came for.
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        )

    def _take(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        match event:
            case {"event": "receipt.processed"}:
                self._receipt(event)
            case {"event": "delivery.attempted"}:
                self._attempt(event)
            case {"event": name, "level": "warning" | "error" | "critical" as level}:
                reason = event.get("reason") or event.get("exc_info") or ""
                self.tell(level, f"{name} {reason}", good=False)
            case _:
                pass  # the audience need not hear it
        raise structlog.DropEvent

    def _receipt(self, event: EventDict) -> None:
        if not event["transactions"]:
            self.tell("receipt", f"{event['gateway']} {event['outcome']}: {event['reason']}")
        for transaction, status, strategy in zip(
            event["transactions"], event["statuses"], event["matches"], strict=True
        ):
            sale = f"{event['gateway']}:{transaction} is {status}"
            if strategy == MatchStrategy.UNMATCHED:
                self.tell("unmatched", sale)
            else:
                self.tell("matched", f"{sale}, by {strategy}")

    def _attempt(self, event: EventDict) -> None:
        good = event["outcome"] == "accepted"
        said = (
            f"in {event['whole_ms']:.0f} ms from webhook"
            if good
            else f"{event['reason']}, next: {event['next']}"
        )
        text = f"{event['event_name']} {event['event_id']} {said}"
        self.tell(event["outcome"], text, good=good)
