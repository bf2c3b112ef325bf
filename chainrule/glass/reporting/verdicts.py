"""The section on verdicts: what looks wrong with the training, with what shows it and what helps."""

from __future__ import annotations

from chainrule.glass.reporting.markup import Html, joined, paragraph, text
from chainrule.glass.reporting.subject import Subject
from chainrule.glass.verdicts.verdict import NAMES, Verdict

TITLE = "Verdicts"


def section(subject: Subject) -> Html:
    """Every verdict, the cause first; or that there is none."""
    if subject.verdicts is None:
        return paragraph("The run was not looked into, so there is no verdict.")
    if not subject.verdicts:
        looked = ", ".join(NAMES)
        return joined(
            [
                paragraph("No verdict: nothing that is known to go wrong was found."),
                paragraph(f"Looked for were: {looked}.", kind="small"),
            ]
        )
    return joined(map(one, subject.verdicts))


def one(verdict: Verdict) -> Html:
    """A verdict with its evidence."""
    place = ", ".join(
        filter(
            None,
            (
                f"layer {verdict.layer}" if verdict.layer else "",
                f"update {verdict.step:,}" if verdict.step is not None else "",
            ),
        )
    )
    lines = "".join(f"<li>{text(line)}</li>" for line in verdict.evidence)
    drawn = str(verdict.picture()) if verdict.picture is not None else ""
    return Html(
        f'<div class="verdict"><h3>{text(verdict.name)}{text(f" ({place})" if place else "")}</h3>'
        f"<p>{text(verdict.headline)}</p><ul>{lines}</ul>"
        f"<p><b>What helps:</b> {text(verdict.fix)}</p>{_figure(drawn)}</div>"
    )


def _figure(drawn: str) -> str:
    """A drawing that is an SVG; anything else has no place in a page."""
    start = drawn.find("<svg")
    return f'<div class="wide">{drawn[start:]}</div>' if start >= 0 else ""
