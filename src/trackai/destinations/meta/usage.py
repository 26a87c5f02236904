"""How much of its limits Meta says is used, and what to make of it. No I/O.

Facts: Meta's pages on rate limiting (Graph API, 2026). X-App-Usage and X-Business-Use-Case-Usage
give percentages of a rolling hour, the second also minutes until access is regained;
X-Ad-Account-Usage gives a percentage and seconds until it is reset.
"""

import math
from collections.abc import Mapping
from typing import TypeVar

import msgspec

# From here on a limit is as good as used up, percent.
FULL = 95.0
# X-App-Usage names no end: a pause once it is nearly used up.
APP_USAGE_PAUSE_S = 300.0
# From here on requests are spaced out, more and more, so that the limit is not reached at all.
EASE_FROM = 75.0
LONGEST_EASE_S = 60.0
_ALL = 100.0

T = TypeVar("T")


class _BusinessUsage(msgspec.Struct):
    call_count: float = 0.0
    total_time: float = 0.0
    total_cputime: float = 0.0
    estimated_time_to_regain_access: float = 0.0  # minutes


class _AccountUsage(msgspec.Struct):
    acc_id_util_pct: float = 0.0
    reset_time_duration: float = 0.0  # seconds


class _AppUsage(msgspec.Struct):
    call_count: float = 0.0
    total_time: float = 0.0
    total_cputime: float = 0.0


_BUSINESS = msgspec.json.Decoder(dict[str, list[_BusinessUsage]], strict=False)
_ACCOUNT = msgspec.json.Decoder(_AccountUsage, strict=False)
_APP = msgspec.json.Decoder(_AppUsage, strict=False)


def throttle_s(headers: Mapping[str, str]) -> float:
    """Return the seconds that a throttled caller is to stay away, 0 when none are named."""
    business, account, app = _usages(headers)
    minutes = max((one.estimated_time_to_regain_access for one in business), default=0.0)
    full = _fullest(app) >= FULL
    pauses = (60.0 * minutes, account.reset_time_duration, APP_USAGE_PAUSE_S if full else 0.0)
    return max(pause if math.isfinite(pause) else 0.0 for pause in pauses)


def ease_s(headers: Mapping[str, str]) -> float:
    """Return the seconds to leave an account alone after it took a request, mostly 0."""
    if not any(name.endswith("-usage") for name in headers):
        return 0.0
    business, account, app = _usages(headers)
    used = max([_fullest(app), account.acc_id_util_pct, *map(_fullest, business)])
    if not used >= EASE_FROM:  # also for what is no number
        return 0.0
    eased = LONGEST_EASE_S * min(1.0, (used - EASE_FROM) / (_ALL - EASE_FROM))
    # As good as used up: until the limit is Meta's to give back.
    return max(eased, throttle_s(headers)) if used >= FULL else eased


def _usages(
    headers: Mapping[str, str],
) -> tuple[list[_BusinessUsage], _AccountUsage, _AppUsage]:
    by_business = _decoded(_BUSINESS, headers.get("x-business-use-case-usage"), {})
    return (
        [one for uses in by_business.values() for one in uses],
        _decoded(_ACCOUNT, headers.get("x-ad-account-usage"), _AccountUsage()),
        _decoded(_APP, headers.get("x-app-usage"), _AppUsage()),
    )


def _decoded(decoder: "msgspec.json.Decoder[T]", text: str | None, otherwise: T) -> T:
    if not text:
        return otherwise
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return otherwise


def _fullest(usage: _BusinessUsage | _AppUsage) -> float:
    return max(usage.call_count, usage.total_time, usage.total_cputime)
