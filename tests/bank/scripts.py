"""The scripts of the bank, and the truth that each says of itself in constants at its top.

CAUSE       the verdict that is right, as in `chainrule.glass.verdicts.verdict.NAMES`; empty for a healthy training
LAYER       where it begins, if that can be said
PHASE, RULE, OPERATION      of the first number that is not finite, where there is one
LEARNS      the score at the end that a training without the flaw reaches
BROKEN      the switch of the flaw: with False the script is a healthy training
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Script:
    """A training and what is true of it; None where the script does not say."""

    path: Path
    says: str
    broken: bool
    cause: str
    learns: float
    layer: str | None = None
    phase: str | None = None
    rule: str | None = None
    operation: str | None = None

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def source(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def repaired_source(self) -> str:
        """The script with its flaw switched off."""
        return self.source.replace("BROKEN = True\n", "BROKEN = False\n", 1)


def read(path: Path) -> Script:
    """A script with its truth, which is read and not run."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.isupper()
    }
    truth = {name.lower(): said.get(name) for name in ("LAYER", "PHASE", "RULE", "OPERATION")}
    return Script(
        path, ast.get_docstring(tree) or "", said.get("BROKEN", False), said["CAUSE"], said["LEARNS"], **truth
    )


BROKEN = tuple(map(read, sorted((FOLDER / "broken").glob("*.py"))))
HEALTHY = tuple(map(read, sorted((FOLDER / "healthy").glob("*.py"))))
