"""The checklist as a document for programs and as a page to print; and the list itself, as docs."""

import datetime as dt
from collections.abc import Mapping

from trackai.golive.catalogue import ITEMS
from trackai.golive.words import sentence_of, utc, words_of
from trackai.model.golive import Checklist, Proof, Section, Value, Verdict


def _summed(checked: Checklist, language: str) -> str:
    said, sums = words_of(language)["outcomes"], checked.sums
    parts = [f"{sums[name]} {said[name]}" for name in ("proved", "signed", "failed")]
    return f"{sums['items']}: {', '.join(parts)}."


def document_of(checked: Checklist) -> Mapping[str, object]:
    """Return everything, in English, as JSON can hold it."""
    return {
        "at": checked.at,
        "version": checked.version,
        "holds": checked.holds,
        **checked.sums,
        "list": [_row(one) for one in checked.verdicts],
    }


def _row(one: Verdict) -> Mapping[str, object]:
    words, evidence, signature = words_of("en"), one.evidence, one.signature
    return {
        "number": one.item.number,
        "item": one.item.id,
        "section": one.item.section.value,
        "title": words["titles"][one.item.id],
        "proof": one.item.proof.value,
        "outcome": one.outcome.value,
        "found": sentence_of(evidence, "en") if evidence else None,
        "found_at": evidence.at if evidence else None,
        "values": _plain(evidence.values) if evidence else {},
        "to_do": None if one.outcome.holds else words["to_do"][one.item.id],
        "signed_by": (signature.name or str(signature.user_id)) if signature else None,
        "note": signature.note if signature else None,
        "signed_at": signature.at if signature else None,
        "expires_at": signature.expires_at if signature else None,
    }


def report_of(checked: Checklist, language: str = "en") -> str:
    """Return a report in Markdown, to be kept or printed."""
    words = words_of(language)
    lines = [
        f"# Track AI {checked.version}: go-live",
        "",
        f"{utc(checked.at)}. {_summed(checked, language)}",
    ]
    for section in Section:
        lines += ["", f"## {words['sections'][section]}", ""]
        for one in checked.verdicts:
            if one.item.section is section:
                lines += _told(one, language)
    return "\n".join(lines) + "\n"


def _told(one: Verdict, language: str) -> list[str]:
    words, evidence, signature = words_of(language), one.evidence, one.signature
    mark, said = "x" if one.outcome.holds else " ", words["outcomes"][one.outcome]
    lines = [
        f"- [{mark}] {one.item.number}. {words['titles'][one.item.id]}: **{said}**",
    ]
    if evidence:
        lines.append(f"  {sentence_of(evidence, language)} ({utc(evidence.at)})")
    if signature:
        until = utc(signature.expires_at)
        lines.append(f"  {signature.name}, {utc(signature.at)} - {until}: {signature.note}")
    if not one.outcome.holds:
        lines.append(f"  {words['to_do'][one.item.id]}")
    return lines


def checklist_page() -> str:
    """Return docs/GO-LIVE-CHECKLIST.md."""
    words = words_of("en")
    lines = [
        "# Go-live checklist",
        "",
        "What must hold before an installation goes live. `trackai golive check` looks at all of",
        "it, and so does the page Go-live; [golive.md](golive.md) says how. Written from",
        "`src/trackai/golive` by `trackai golive list --markdown`.",
    ]
    for section in Section:
        lines += ["", f"## {words['sections'][section]}", ""]
        lines += ["| | item | what | how it is known | evidence lasts | if not |"]
        lines += ["|---|---|---|---|---|---|"]
        lines += [
            f"| {one.number} | `{one.id}` | {words['titles'][one.id]} | "
            f"{words['proofs'][one.proof]} | {_lasts(one.lasts, one.proof)} | "
            f"{words['to_do'][one.id]} |"
            for one in ITEMS.values()
            if one.section is section
        ]
    return "\n".join(lines) + "\n"


def _lasts(lasts: dt.timedelta | None, proof: Proof) -> str:
    if proof is Proof.SIGNED:
        return "as signed"
    if lasts is None:
        return "looked at now"
    if lasts >= dt.timedelta(days=2):
        return f"{lasts.days} days"
    minutes = int(lasts.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"  # noqa: PLR2004 - of an hour


def _plain(values: Mapping[str, Value]) -> dict[str, str | float]:
    return {
        name: one.isoformat() if isinstance(one, dt.datetime) else one
        for name, one in values.items()
    }
