"""The section on doing it again: commands, settings, and the data by its checksums."""

from __future__ import annotations

from chainrule.glass.reporting.markup import Html, facts, heading, joined, listing, paragraph, shortened, table
from chainrule.glass.reporting.subject import Subject

TITLE = "Doing it again"


def section(subject: Subject) -> Html:
    """What to type, and what it must start from."""
    pieces = [paragraph(subject.replayed)] if subject.replayed else []
    if subject.commands:
        pieces.append(listing(subject.commands))
    if subject.settings:
        rows = [(name, shortened(value, 200)) for name, value in subject.settings.items()]
        pieces += [heading("Settings that are not as always"), facts(rows)]
    if subject.sources:
        rows = [[source.name, source.size, source.checksum] for source in subject.sources]
        pieces += [heading("The data"), table(["file", "bytes", "SHA-256"], rows, kind="files")]
    return joined(pieces) if pieces else paragraph("How the run was started is not known.")
