"""The letters and numbers of a recurrence at one step: xₜ, hₜ₋₁, Wⁱ, δₜ, in rows or in columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.glass.explanation.recurrence import Recurrence
from chainrule.glass.explanation.rules import Term
from chainrule.glass.explanation.signs import Signs


class Moment:
    """Step t of a recurrence, t counted from 1 along the sequence; `several` says whether the layer has more of them.

    Where it has, letters carry the number of the layer, (1), and those that are computed from the end an arrow.
    """

    def __init__(self, recurrence: Recurrence, signs: Signs, t: int, several: bool) -> None:
        self.of, self.signs, self.t, self.several = recurrence, signs, t, several
        self.steps = len(recurrence.order)
        self.earlier, self.later = (t + 1, t - 1) if recurrence.reverse else (t - 1, t + 1)

    def name(self, quantity: str) -> str:
        """What a quantity is called behind the path of the layer: "t1.h", "t1.h_l0_reverse"."""
        return f"t{self.t}.{quantity}{self.of.end if self.several else ''}"

    @property
    def is_last(self) -> bool:
        """Whether no step is computed behind it."""
        return not 1 <= self.later <= self.steps

    # Letters.

    def letter(self, head: str, upper: str = "", t: int | str | None = None) -> str:
        """A letter with the step below it, and gate and layer above: δ₂ⁱ."""
        head = rf"\overleftarrow{{{head}}}" if self.of.reverse and self.several else head
        upper += f"({self.layer + 1})" if self.several else ""
        below = f"_{{{t}}}" if t is not None else ""
        return f"{head}{below}^{{{upper}}}" if upper else f"{head}{below}"

    @property
    def layer(self) -> int:
        """The number of the layer, from 0."""
        digits = self.of.end.removeprefix("_l").removesuffix("_reverse")
        return int(digits) if digits else 0

    def sign(self, quantity: str, t: int | None = None) -> str:
        """The letter of a quantity by its name: "h", "z_i", "delta_i", "dh"; at this step if no other is given."""
        t = self.t if t is None else t
        head, _, gate = quantity.partition("_")
        if head in ("dh", "dc"):
            return rf"\partial L/\partial {self.sign(head[1], t)}"
        return self.letter({"delta": r"\delta"}.get(head, head), gate, t)

    def input(self, t: int | str | None = None) -> str:
        """The letter of the input: x of the layer's own, or of one further up, which the one below gives."""
        above = f"^{{({self.layer + 1})}}" if self.layer else ""
        return f"x_{{{self.t if t is None else t}}}{above}"

    def weight(self, head: str, gate: str = "") -> str:
        """W, U, b or b' of a gate, or of all of them."""
        return self.letter(head, gate)

    # Numbers.

    def number(self, quantity: str, t: int | None = None) -> np.ndarray:
        """The numbers of a quantity, in the layout; of "h" and "c" also those before the first step."""
        t = self.t if t is None else t
        if 1 <= t <= self.steps:
            return self.signs.lay(self.of.at(quantity, t - 1))
        return self.signs.lay(self.of.before(quantity, self.of.order[0]))

    @property
    def x(self) -> np.ndarray:
        return self.signs.lay(self.of.x[:, self.t - 1])

    def part(self, array: np.ndarray, gate: str) -> np.ndarray:
        """The rows of a weight or bias that belong to a gate."""
        return array[self.of.rows(gate)]

    # Products, as they read in rows and in columns.

    def mapped(self, v: str, numbers: np.ndarray, w: str, weight: np.ndarray) -> Term:
        """v Wᵀ for samples in rows, W v for columns."""
        if self.signs.columns:
            return f"{w} {v}", (weight, r"\cdot", numbers)
        return f"{v} {turned(w)}", (numbers, r"\cdot", weight.T)

    def pulled(self, delta: str, numbers: np.ndarray, w: str, weight: np.ndarray) -> Term:
        """δ W for samples in rows, Wᵀ δ for columns."""
        if self.signs.columns:
            return f"{turned(w)} {delta}", (weight.T, r"\cdot", numbers)
        return f"{delta} {w}", (numbers, r"\cdot", weight)

    def outer(self, delta: str, numbers: np.ndarray, v: str, before: np.ndarray) -> Term:
        """δᵀ v for samples in rows, δ vᵀ for columns: the share of a step in the derivative of a weight."""
        if self.signs.columns:
            return f"{delta} {turned(v)}", (numbers, r"\cdot", before.T)
        return f"{turned(delta)} {v}", (numbers.T, r"\cdot", before)

    def bias(self, array: np.ndarray) -> np.ndarray:
        """A bias beside the samples."""
        return self.signs.vector(array)


def turned(sign: str) -> str:
    """The transpose of a letter: Wⁱᵀ."""
    if sign.startswith(("(", r"\partial")):
        return rf"{sign}^\top" if sign.endswith(")") else rf"({sign})^\top"
    return sign[:-1] + r"\top}" if "^{" in sign and sign.endswith("}") else sign + r"^\top"


def added(*terms: Term) -> Term:
    """Terms with a plus between them; without numbers where one has none."""
    numbers: list[Any] | None = []
    for _, part in terms:
        numbers = None if numbers is None or part is None else [*numbers, *(["+"] if numbers else []), *part]
    return " + ".join(rule for rule, _ in terms), None if numbers is None else tuple(numbers)


def times(*factors: tuple[str, np.ndarray]) -> Term:
    """Factors entry by entry."""
    numbers: list[Any] = []
    for _, value in factors:
        numbers += ([r"\odot"] if numbers else []) + [value]
    return r" \odot ".join(rule for rule, _ in factors), tuple(numbers)


def squared(sign: str) -> str:
    """The square of a letter, in brackets where it has something above it."""
    return f"({sign})^2" if "^" in sign else f"{sign}^2"


def one_minus(sign: str, value: np.ndarray) -> tuple[str, np.ndarray]:
    """1 − z as a factor."""
    return f"(1 - {sign})", 1 - value
