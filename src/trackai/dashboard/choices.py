"""Long lists to choose from, named in the reader's language: time zones and currencies."""

import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter

from babel import Locale
from babel.core import get_global

from trackai.model.money import CURRENCIES

UTC = "UTC"
# CLDR's word for zones of no country.
_NOWHERE = {"001", "ZZ"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class ZoneChoices:
    """Time zones: those of one country first, by place, then all others."""

    country: str
    near: Sequence[Choice]
    far: Sequence[Choice]


def zone_choices(locale: Locale, own: str) -> ZoneChoices:
    """Return time zones, first those of the country that a tenant's own is in."""
    country = _countries().get(own)
    near = [Choice(one, _place(locale, one)) for one in _zones_of(country)] or [Choice(own, own)]
    far = [one for one in _all_zones(locale) if one.value not in {near.value for near in near}]
    title = locale.territories.get(country, own) if country else own
    return ZoneChoices(title, sorted(near, key=attrgetter("words")), far)


def zone_words(locale: Locale, zone: str) -> str:
    """Return a time zone's country and place; the name itself of one that has none."""
    country = _countries().get(zone)
    if country is None:
        return zone
    return f"{locale.territories.get(country, country)}, {_place(locale, zone)}"


@cache
def currency_choices(locale: Locale) -> Sequence[Choice]:
    """Return currencies by their names."""
    named = [Choice(code, currency_words(locale, code)) for code in CURRENCIES]
    return sorted(named, key=attrgetter("words"))


def currency_words(locale: Locale, code: str) -> str:
    """Return a currency's name and code."""
    return f"{locale.currencies.get(code, code)} ({code})"


@cache
def _countries() -> Mapping[str, str]:
    """Return zone -> country of the zones that this machine knows, each by its own name alone."""
    known = zoneinfo.available_timezones()
    return {
        zone: country
        for zone, country in get_global("zone_territories").items()
        if zone in known and country not in _NOWHERE
    }


@cache
def _all_zones(locale: Locale) -> Sequence[Choice]:
    named = [Choice(zone, zone_words(locale, zone)) for zone in (*_countries(), UTC)]
    return sorted(named, key=attrgetter("words"))


def _zones_of(country: str | None) -> Sequence[str]:
    return [zone for zone, where in _countries().items() if where == country]


def _place(locale: Locale, zone: str) -> str:
    named = locale.time_zones.get(zone, {}).get("city")
    return named or zone.rpartition("/")[2].replace("_", " ")
