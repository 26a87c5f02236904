"""An estimate of Meta's Event Match Quality from the keys that an event carries. No I/O.

Meta scores 0 to 10 for each event name, from what arrives and how much of it finds somebody, and
does not publish how. Here each key has a chance to find the person by itself, and the score is ten
times the chance that at least one does. The chances are ours, in the order that Meta's pages on
customer information give (read 2026): e-mail, click id and phone far ahead of the rest. Meta's own
figure comes from its dataset quality API; this one is there for every event, at once, and says what
would raise it most.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from trackai.destinations.port import Advice, Counted, Summary
from trackai.model.delivery import Quality

# user_data keys that count together -> chance that they find the person by themselves, per cent.
CHANCES: Mapping[tuple[str, ...], int] = MappingProxyType(
    {
        ("em",): 60,
        ("fbc",): 55,
        ("ph",): 50,
        ("fbp",): 30,
        ("external_id",): 20,
        ("client_ip_address", "client_user_agent"): 20,
        ("fn", "ln"): 10,
        ("ct", "zp"): 5,
        ("db",): 5,
        ("st", "country"): 1,
        ("ge",): 1,
    }
)
# What to do so that events carry a key.
HOW: Mapping[tuple[str, ...], str] = MappingProxyType(
    {
        ("em",): "let the checkout ask for the e-mail, and report leads with it",
        ("fbc",): "put the tracker script on every page that ads lead to",
        ("ph",): "let the checkout ask for the phone, with its area code",
        ("fbp",): "put the tracker script on every page of the funnel",
        ("external_id",): "not sent: the page's pixel would have to send the same",
        ("client_ip_address", "client_user_agent"): "have sales matched to clicks: they bring both",
        ("fn", "ln"): "let the checkout ask for the whole name",
        ("ct", "zp"): "let the checkout ask for city and postal code",
        ("db",): "let the checkout ask for the date of birth",
        ("st", "country"): "let the checkout ask for the state",
        ("ge",): "not sent: no checkout asks for it",
    }
)
# What this program never sends is no advice.
NEVER_SENT = frozenset({("external_id",), ("ge",)})
_TENTHS = 100


@lru_cache(4096)
def quality_of(keys: tuple[str, ...]) -> Quality:
    """Return the estimate for an event with these user_data keys."""
    known = frozenset(keys)
    return Quality(_score(known), " ".join(sorted(known)))


def summarize(counted: Sequence[Counted]) -> Summary:
    """Return score, coverage and advice for events of one name."""
    known = [(frozenset(one.keys.split()), one.events) for one in counted]
    events = sum(number for _, number in known)
    every = sorted({key for keys in CHANCES for key in keys})
    now = _average(known, events, ())
    advice = [
        Advice(keys, gain, HOW[keys])
        for keys in CHANCES
        if keys not in NEVER_SENT and (gain := _average(known, events, keys) - now) > 0
    ]
    return Summary(
        events=events,
        tenths=now,
        coverage={
            key: sum(number for keys, number in known if key in keys) / events for key in every
        },
        advice=sorted(advice, key=lambda one: -one.gain),
    )


def _average(
    known: Sequence[tuple[frozenset[str], int]], events: int, more: tuple[str, ...]
) -> int:
    return round(sum(_score(keys.union(more)) * number for keys, number in known) / events)


def _score(keys: frozenset[str]) -> int:
    missed = 1.0
    for needed, chance in CHANCES.items():
        if keys.issuperset(needed):
            missed *= 1 - chance / 100
    return round(_TENTHS * (1 - missed))
