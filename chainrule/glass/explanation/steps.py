"""Step: one line of the derivation, as data. What is printed is only a view of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.glass.explanation.differences import Check
from chainrule.glass.explanation.figures import is_elided
from chainrule.glass.explanation.notation import unicode_text

Formula = tuple[Any, ...]
"""A rule with the numbers put in: LaTeX strings and arrays, side by side."""


@dataclass(frozen=True, eq=False)
class Step:
    """A named quantity with its rule, the rule with numbers, its value, and how its derivative was checked.

    `phase` is "forward", "backward" or "update"; `kind` says by which rule: "linear", "activation", "delta".
    `rule` is LaTeX, and `str(step)` the rule in Unicode. `value` has the layout of the explanation, samples
    in rows or in columns. `expanded` are further lines, entry by entry. `check` is None where no derivative
    is taken.
    """

    name: str
    kind: str
    phase: str
    caption: str
    symbol: str
    rule: str
    value: np.ndarray
    substituted: Formula | None = None
    expanded: tuple[Formula, ...] = ()
    notes: tuple[str, ...] = ()
    check: Check | None = None

    def __post_init__(self) -> None:
        """Keep copies: what was shown must not change when parameters do."""
        copied = None if self.substituted is None else _copied(self.substituted)
        object.__setattr__(self, "substituted", copied)
        object.__setattr__(self, "expanded", tuple(map(_copied, self.expanded)))
        object.__setattr__(self, "value", np.array(self.value))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    def __str__(self) -> str:
        return unicode_text(self.rule)

    @property
    def lines(self) -> list[Formula]:
        """The derivation line by line, each behind its "=": the rule, the same with numbers, the value."""
        numbers = self.substituted or ()
        written = len(numbers) > 1 or isinstance(numbers[:1][0] if numbers else None, str)
        shown = written and not any(isinstance(p, np.ndarray) and is_elided(p) for p in numbers)
        return [(self.sides[2],), *([bracketed(numbers)] if shown else []), (self.value,)]

    @property
    def entries(self) -> tuple[Formula, ...]:
        """The lines entry by entry, with signs put right."""
        return tuple(map(bracketed, self.expanded))

    @property
    def sides(self) -> tuple[str, str, str]:
        """The rule in LaTeX, split at its first sign of equality or assignment."""
        sign = r" \leftarrow " if r" \leftarrow " in self.rule else " = "
        return self.rule.partition(sign)


def _copied(formula: Formula) -> Formula:
    return tuple(p if isinstance(p, str) else np.array(p) for p in formula)


def bracketed(formula: Formula) -> Formula:
    """Negative numbers behind a sign: + (−a) becomes − a, behind any other sign or before a power they get brackets."""
    pieces: list[Any] = []
    for i, part in enumerate(formula):
        before = formula[i - 1] if i else "="
        negative = not isinstance(part, str) and part.size == 1 and part.item() < 0
        sign = before.strip()[-1:] if isinstance(before, str) else ""
        raised = str(formula[i + 1]).startswith("^") if i + 1 < len(formula) else False
        if negative and before == "+" and not raised:
            pieces[-1:] = ["-", np.negative(part)]
        elif negative and (raised or sign not in ("", "=", "(", "[", "|")):
            pieces += ["(", part, ")"]
        else:
            pieces.append(part)
    return tuple(pieces)
