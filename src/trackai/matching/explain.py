"""Why a sale is matched to its click, or to none: the stored decision, rung by rung.

Reads only. What is told is what was found when it was decided; nothing personal is in it.
"""

from collections.abc import Mapping
from uuid import UUID

from trackai.errors import NotFound
from trackai.matching.ladder import RUNGS
from trackai.model.match import CONFIDENCE, MatchReason, MatchStrategy, Tried
from trackai.storage import matches
from trackai.storage.pool import Row, Tx

Explanation = dict[str, object]

# Not a reason of a rung: it was not asked.
NOT_TRIED = "not_tried"
WORDS: Mapping[str, str] = {
    MatchReason.FOUND: "this is it",
    MatchReason.NOT_CARRIED: "the sale brings none",
    MatchReason.UNKNOWN: "no click has it",
    MatchReason.OUTSIDE_WINDOW: "a click has it, outside the window",
    MatchReason.SWITCHED_OFF: "the funnel does not match in this way",
    MatchReason.AMBIGUOUS: "several browsers have it, so it is nobody's",
    NOT_TRIED: "a stronger one was found",
}
# What a sale and a click share on each rung.
KEYS: Mapping[MatchStrategy, str] = {
    MatchStrategy.SUBSCRIPTION: "subscription of the renewal",
    MatchStrategy.CLICK_ID: "click id from the checkout's address",
    MatchStrategy.FBCLID: "fbclid, alone or inside fbc",
    MatchStrategy.FBP: "fbp, the browser's id",
    MatchStrategy.EMAIL: "e-mail, hashed",
    MatchStrategy.PHONE: "phone, hashed",
    MatchStrategy.VISITOR: "address and agent",
}


def parse_conversion(text: str) -> UUID | tuple[str, str]:
    """Read a conversion's id, or gateway:transaction as event ids are written."""
    try:
        return UUID(text)
    except ValueError:
        gateway, _, transaction = text.partition(":")
        return gateway, transaction


async def explain(tx: Tx, *, tenant_id: UUID, conversion: UUID | tuple[str, str]) -> Explanation:
    """Return the decision and its ladder; NotFound when the tenant has no such conversion."""
    row = await matches.find_explanation(tx, tenant_id=tenant_id, conversion=conversion)
    if row is None:
        raise NotFound(
            "The tenant has no such conversion. Name its id, or gateway:transaction; "
            "list them: trackai conversions list"
        )
    return _explained(row)


def _explained(row: Row) -> Explanation:
    strategy = MatchStrategy(row["strategy"] or MatchStrategy.UNMATCHED)
    clicked_at, sold_at = row["clicked_at"], row["sold_at"]
    return {
        "conversion_id": row["conversion_id"],
        "gateway": row["gateway"],
        "transaction": row["transaction"],
        "status": row["status"],
        "recurrence": row["recurrence"],
        "sold_at": sold_at,
        "funnel": row["funnel"],
        "attribution": row["attribution"],
        "attribution_window_h": row["attribution_window_h"],
        "visitor_window_min": row["visitor_window_min"],
        "strategy": strategy.value,
        "confidence": CONFIDENCE[strategy].value if strategy in CONFIDENCE else None,
        "click_id": row["click_id"],
        "clicked_at": clicked_at,
        "click_to_sale_s": int((sold_at - clicked_at).total_seconds()) if clicked_at else None,
        # Where first clicks count: the click of the browser that bought.
        "found_click_id": row["found_click_id"] or row["click_id"],
        "utm_source": row["utm_source"],
        "utm_campaign": row["utm_campaign"],
        "utm_content": row["utm_content"],
        "page_url": row["page_url"],
        "decided_at": row["created_at"],
        "look_again_at": row["look_again_at"],
        "ladder": _ladder(matches.tried_of(row["tried"]) if row["tried"] is not None else ()),
    }


def _ladder(tried: tuple[Tried, ...]) -> list[dict[str, object]]:
    known = {one.strategy: one for one in tried}
    ladder: list[dict[str, object]] = []
    for rung in RUNGS:
        one = known.get(rung.strategy)
        result = one.reason.value if one else NOT_TRIED
        ladder.append(
            {
                "rung": rung.strategy.value,
                "shared": KEYS[rung.strategy],
                "confidence": CONFIDENCE[rung.strategy].value,
                "result": result,
                "meaning": WORDS[result],
                "looked_at": [
                    {"click_id": click.click_id, "clicked_at": click.clicked_at}
                    for click in (one.looked_at if one else ())
                ],
            }
        )
    return ladder
