"""Not finite: the first number that is none, as a verdict."""

from __future__ import annotations

from chainrule.glass.verdicts.evidence import Evidence
from chainrule.glass.verdicts.verdict import Verdict


def not_finite(evidence: Evidence) -> Verdict | None:
    """A number became NaN or infinite: where, from what, and by which rule of arithmetic, as `cr.diagnose` says it."""
    found = evidence.failure
    if found is None or found:
        return None
    headline, *lines = str(found).splitlines()
    seen = tuple(line[2:] for line in lines if not line.startswith(("  try", "  layer")))
    return Verdict("not finite", headline, seen, found.fix, found.layer, evidence.failed)
