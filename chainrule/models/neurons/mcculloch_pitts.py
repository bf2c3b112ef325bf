"""The McCulloch-Pitts unit: a neuron with fixed weights, and logic wired from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.base.errors import DataError, OptionError, ShapeError


@dataclass(frozen=True)
class McCullochPitts:
    """A threshold logic unit: it fires when the weighted sum of its binary inputs exceeds its threshold.

        y = [Σᵢ wᵢ xᵢ > θ],   xᵢ, y ∈ {0, 1}

    The weights are given, not learnt; a sum equal to the threshold does not fire. This is the weighted
    variant of 004 §2.2.1; in the paper all excitatory weights are 1 and one active inhibitory input silences
    the unit whatever the sum. McCulloch & Pitts (1943), Bull. Math. Biophys. 5, 115-133.

    The gates put the threshold half-way between the sums that they tell apart; with b = −θ these are the
    AND (1, 1; −1.5) and OR (1, 1; −0.5) of 004 §2.2.2.

    >>> McCullochPitts.and_gate()([[0, 0], [0, 1], [1, 0], [1, 1]])
    array([0, 0, 0, 1])
    """

    weights: tuple[float, ...]
    threshold: float

    def __call__(self, x: ArrayLike) -> NDArray[np.int64]:
        """The output, 0 or 1, for binary inputs (..., inputs); shape (...).

        Raises:
            ShapeError: another number of inputs than weights.
            DataError: an input that is neither 0 nor 1.
        """
        return (binary_inputs("McCullochPitts", x, len(self.weights)) @ self.weights > self.threshold).astype(int)

    @classmethod
    def and_gate(cls, inputs: int = 2) -> McCullochPitts:
        """Fires when all inputs do: Σ x > n − ½."""
        return cls((1.0,) * inputs, inputs - 0.5)

    @classmethod
    def or_gate(cls, inputs: int = 2) -> McCullochPitts:
        """Fires when any input does: Σ x > ½."""
        return cls((1.0,) * inputs, 0.5)

    @classmethod
    def not_gate(cls) -> McCullochPitts:
        """Fires when its one input does not: −x > −½."""
        return cls((-1.0,), -0.5)

    @classmethod
    def nand_gate(cls, inputs: int = 2) -> McCullochPitts:
        """Fires unless all inputs do: −Σ x > ½ − n."""
        return cls((-1.0,) * inputs, 0.5 - inputs)

    @classmethod
    def nor_gate(cls, inputs: int = 2) -> McCullochPitts:
        """Fires when no input does: −Σ x > −½."""
        return cls((-1.0,) * inputs, -0.5)


@dataclass(frozen=True)
class LogicNetwork:
    """Two layers of threshold units: y = output(hidden₁(x), …, hiddenₘ(x)).

    One unit draws one line, so XOR needs two and a third to combine: x₁ ⊕ x₂ = (x₁ ∨ x₂) ∧ ¬(x₁ ∧ x₂).
    Two layers are enough for every Boolean function (004 §2.2.1).

    >>> LogicNetwork.xor()([[0, 0], [0, 1], [1, 0], [1, 1]])
    array([0, 1, 1, 0])
    """

    hidden: tuple[McCullochPitts, ...]
    output: McCullochPitts

    def __call__(self, x: ArrayLike) -> NDArray[np.int64]:
        """The output, 0 or 1, for binary inputs (..., inputs); shape (...).

        Raises:
            ShapeError: another number of inputs than the hidden units have.
            DataError: an input that is neither 0 nor 1.
        """
        return self.output(np.stack([unit(x) for unit in self.hidden], axis=-1))

    @classmethod
    def xor(cls) -> LogicNetwork:
        """Exactly one of two: OR and NAND, joined by AND."""
        return cls((McCullochPitts.or_gate(), McCullochPitts.nand_gate()), McCullochPitts.and_gate())

    @classmethod
    def from_truth_table(cls, values: Sequence[int]) -> LogicNetwork:
        """The network of any Boolean function, from its 2ⁿ values in the order 0…00, 0…01, …, 1…11.

        The disjunctive normal form: one hidden unit recognises each row whose value is 1 (weights +1 where
        the row has a one and −1 where it has a zero, threshold the number of ones less ½), and OR joins them.
        A function that is never 1 gets one unit that never fires.

        Raises:
            OptionError: the number of values is not 2, 4, 8, ..., or one is neither 0 nor 1.

        >>> LogicNetwork.from_truth_table([1, 0, 0, 1])([[0, 0], [0, 1]])
        array([1, 0])
        """
        inputs = len(values).bit_length() - 1
        if inputs < 1 or len(values) != 2**inputs or not set(values) <= {0, 1}:
            raise OptionError(f"a truth table holds 2, 4, 8, ... zeros and ones, got {list(values)}.")
        rows = [row for row, value in zip(product((0, 1), repeat=inputs), values, strict=True) if value]
        hidden = tuple(McCullochPitts(tuple(2.0 * bit - 1 for bit in row), sum(row) - 0.5) for row in rows)
        hidden = hidden or (McCullochPitts((0.0,) * inputs, 0.5),)
        return cls(hidden, McCullochPitts.or_gate(len(hidden)))


def binary_inputs(owner: str, x: ArrayLike, inputs: int) -> NDArray[np.float64]:
    """Inputs (..., inputs), each 0 or 1."""
    bits = np.asarray(x, dtype=np.float64)
    if bits.ndim == 0 or bits.shape[-1] != inputs:
        raise ShapeError(f"{owner} has {inputs} inputs, got an array of shape {bits.shape}.")
    if not (binary := np.isin(bits, (0, 1))).all():
        raise DataError(f"{owner} takes inputs 0 and 1, got {bits[~binary][0]}.")
    return bits
