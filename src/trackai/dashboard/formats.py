"""Numbers, money and moments as people of a language and time zone write them."""

import datetime as dt
from dataclasses import dataclass
from math import ceil
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_name
from babel.units import format_unit

from trackai.dashboard.words import say
from trackai.model.money import Money

_LOCALES = {"pt": Locale("pt", "BR"), "en": Locale("en", "US")}
NOTHING = "–"  # noqa: RUF001 - a dash
_DAY, _HOUR, _MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)
_THOUSAND_MS = 1000.0
_LEAST_RATE = 0.01
_MOST_CHANGE = 10.0
# From so many milliseconds on, a time is told in this unit: of so many milliseconds.
_LONG = (
    (172_800_000.0, 86_400_000.0, "d"),
    (7_200_000.0, 3_600_000.0, "h"),
    (120_000.0, 60_000.0, "min"),
)


def locale_of(language: str) -> Locale:
    """Return what Babel names and formats things by."""
    return _LOCALES[language]


@dataclass(frozen=True, slots=True)
class Formats:
    """Of one reader and one tenant."""

    language: str
    zone: ZoneInfo

    @property
    def locale(self) -> Locale:
        """Return what Babel formats by."""
        return locale_of(self.language)

    def number(self, value: float | None, digits: int = 0) -> str:
        """Return 12.345 or 12,345."""
        if value is None:
            return NOTHING
        pattern = "#,##0" + (f".{'0' * digits}" if digits else "")
        return format_decimal(value, format=pattern, locale=self.locale)

    def rate(self, value: float | None) -> str:
        """Return 0,25; of what is less than can be written so, that it is."""
        if value and value < _LEAST_RATE:
            return f"< {self.number(_LEAST_RATE, 2)}"
        return self.number(value, 2)

    def change(self, share: float) -> str:
        """Return +12%, -3% or, of what grew beyond telling, > +1000%."""
        if share > _MOST_CHANGE:
            return f"> +{self.percent(_MOST_CHANGE, 0)}"
        told = round(share, 2)
        return ("+" if told > 0 else "") + self.percent(abs(told) if told == 0 else told, 0)

    def points(self, more: float) -> str:
        """Return +1.2 points or -3.0 pontos, of shares."""
        told = round(more * 100, 1)
        number = ("+" if told > 0 else "") + self.number(told or 0.0, 1)
        return say(self.language, "home.points", number=number)

    def percent(self, share: float | None, digits: int = 1) -> str:
        """Return 97,3% or 97.3%."""
        if share is None:
            return NOTHING
        return format_percent(share, format=f"0.{'0' * digits}%", locale=self.locale)

    def money(self, minor: float | None, currency: str) -> str:
        """Return R$ 1.234,50."""
        if minor is None:
            return NOTHING
        return format_currency(Money(round(minor), currency).major(), currency, locale=self.locale)

    def currency(self, code: str) -> str:
        """Return Real brasileiro (BRL)."""
        return f"{get_currency_name(code, locale=self.locale)} ({code})"

    def duration(self, ms: float | None) -> str:
        """Return 340 ms, 1,2 s, 5 min, 3 h or 2 d."""
        if ms is None:
            return NOTHING
        for least, length, unit in _LONG:
            if ms >= least:
                return f"{self.number(ms / length)} {unit}"
        if ms < _THOUSAND_MS:
            return f"{self.number(ms)} ms"
        return f"{self.number(ms / _THOUSAND_MS, 1)} s"

    def span(self, length: dt.timedelta) -> str:
        """Return 1 dia, 7 dias or, of what is not whole days, 36 horas."""
        for unit, one in (("day", _DAY), ("hour", _HOUR)):
            if not length % one:
                return format_unit(length // one, f"duration-{unit}", locale=self.locale)
        return format_unit(ceil(length / _MINUTE), "duration-minute", locale=self.locale)

    def countdown(self, left_s: int) -> str:
        """Return 1:05, of so many seconds that are left; `static/app.js` counts on."""
        return f"{left_s // 60}:{left_s % 60:02}"

    def moment(self, at: dt.datetime) -> str:
        """Return day and time."""
        return format_datetime(at, "short", tzinfo=self.zone, locale=self.locale)

    def exactly(self, at: dt.datetime) -> str:
        """Return day and time with seconds."""
        return format_datetime(at, "medium", tzinfo=self.zone, locale=self.locale)

    def day(self, at: dt.datetime | dt.date) -> str:
        """Return a day."""
        at = at.astimezone(self.zone) if isinstance(at, dt.datetime) else at
        return format_date(at, "medium", locale=self.locale)

    def bucket(self, at: dt.datetime, grain: str) -> str:
        """Return when a chart's bucket began, as short as its length allows."""
        if grain == "minute":
            return format_time(at, "short", tzinfo=self.zone, locale=self.locale)
        day = format_skeleton("MMMd", at, tzinfo=self.zone, locale=self.locale)
        if grain == "day":
            return day
        return f"{day}, {format_time(at, 'short', tzinfo=self.zone, locale=self.locale)}"
