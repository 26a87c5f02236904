"""A refusal: why Graph says no, before it is worded; shared by all rules of the stand-in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Subcodes of error 100. Where Meta publishes none for a broken rule, PARAMETER stands in.
PARAMETER = 2804019  # "Server Side Api Parameter Error", with a JSON path
TOO_OLD = 2804003
TOO_THIN = 2804050
BAD_CLICK_ID = 2804001
BAD_LEAD_ID = 2804036
NO_MESSAGING_ACCOUNT = 2804116

JsonObject = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Code, subcode and the words that are not looked up by them."""

    code: int
    subcode: int | None = None
    detail: str = ""  # for people, in English; names the parameter by its JSON path
    message: str = "Invalid parameter"
    kind: str = "OAuthException"
    status: int = 400
    transient: bool = False
    blame: tuple[str, ...] = ()


# (event, its JSON path, now in Unix seconds) -> why it is refused
EventRule = Callable[[JsonObject, str, int], Refusal | None]


def wrong(at: str, what: str, subcode: int = PARAMETER) -> Refusal:
    """Build the refusal of one parameter, named by its JSON path."""
    return Refusal(100, subcode, f"The parameter {at} {what}", blame=(at,))
