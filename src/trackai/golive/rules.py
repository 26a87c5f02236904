"""What an item comes to, by what was found and who signed. Nothing else makes an item hold."""

import datetime as dt
from collections.abc import Mapping

from trackai.golive.catalogue import ITEMS
from trackai.model.golive import Checklist, Evidence, Item, Outcome, Proof, Signature, Verdict

# What says that it is of later than now, by more than clocks differ, is not believed.
CLOCKS_DIFFER = dt.timedelta(minutes=5)


def judge(
    item: Item, evidence: Evidence | None, signature: Signature | None, now: dt.datetime
) -> Verdict:
    """Return what an item comes to.

    Of a signed one the evidence is what the signature rests on: without it nothing can be signed.
    """
    outcome = _automatic(item, evidence, now)
    if item.proof is Proof.SIGNED:
        outcome = _signed(evidence, signature, now)
    return Verdict(item, outcome, evidence, signature)


def check(
    found: Mapping[str, Evidence],
    signatures: Mapping[str, Signature],
    now: dt.datetime,
    version: str,
) -> Checklist:
    """Return what all of them come to."""
    verdicts = [
        judge(one, found.get(one.id), signatures.get(one.id), now) for one in ITEMS.values()
    ]
    return Checklist(now, version, verdicts)


def _automatic(item: Item, evidence: Evidence | None, now: dt.datetime) -> Outcome:
    if evidence is None or not evidence.good or evidence.at > now + CLOCKS_DIFFER:
        return Outcome.FAILED
    if item.lasts is not None and now - evidence.at > item.lasts:
        return Outcome.EXPIRED
    return Outcome.PROVED


def _signed(evidence: Evidence | None, signature: Signature | None, now: dt.datetime) -> Outcome:
    if evidence is not None and not evidence.good:
        return Outcome.FAILED
    if signature is None:
        return Outcome.UNSIGNED
    return Outcome.SIGNED if now < signature.expires_at else Outcome.EXPIRED
