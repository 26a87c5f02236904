"""Who may do what with a tenant's things."""

from enum import StrEnum


class MemberRole(StrEnum):
    """What somebody is to a tenant."""

    OWNER = "owner"
    OPERATOR = "operator"
    ANALYST = "analyst"


class Permission(StrEnum):
    """What a page or a deed needs."""

    SEE = "see"  # numbers, events, how things are connected
    OPERATE = "operate"  # replay, discard, test
    CONFIGURE = "configure"  # funnels, settings
    # Gateways and pixels with their secrets, the team, API keys, requests of persons, the end.
    MANAGE = "manage"


_ALLOWED = {
    MemberRole.OWNER: frozenset(Permission),
    MemberRole.OPERATOR: frozenset({Permission.SEE, Permission.OPERATE, Permission.CONFIGURE}),
    MemberRole.ANALYST: frozenset({Permission.SEE}),
}


def may(role: MemberRole, permission: Permission) -> bool:
    """Return whether a member of this role may do what needs this permission."""
    return permission in _ALLOWED[role]
