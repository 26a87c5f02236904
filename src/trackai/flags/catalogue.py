"""Which flags there are: one for each payment platform and each ad platform."""

from collections.abc import Iterable

from trackai.errors import NotFound

_GATEWAY, _DESTINATION = "gateway.", "destination."


def gateway_flag(name: str) -> str:
    """Return the flag of a payment platform: are its webhooks worked on."""
    return _GATEWAY + name


def destination_flag(kind: str) -> str:
    """Return the flag of an ad platform: is anything sent to it."""
    return _DESTINATION + kind


def is_gateway(key: str) -> bool:
    """Return whether a flag is of a payment platform: it can turn webhooks away."""
    return key.startswith(_GATEWAY)


def subject_of(key: str) -> str:
    """Return the name of the platform that a flag is of."""
    return key.partition(".")[2]


def flags_for(gateways: Iterable[str], destinations: Iterable[str]) -> tuple[str, ...]:
    """Return all flags of an installation with these platforms."""
    return (
        *(gateway_flag(name) for name in sorted(gateways)),
        *(destination_flag(kind) for kind in sorted(destinations)),
    )


def known_flag(key: str, known: Iterable[str]) -> str:
    """Return a flag that there is; NotFound names those that there are."""
    flags = list(known)
    if key not in flags:
        raise NotFound(f"There is no such flag. Known: {', '.join(flags)}.")
    return key
