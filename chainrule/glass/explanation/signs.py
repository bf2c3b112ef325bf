"""Which sign stands for which quantity, and how its numbers lie: samples in rows or in columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.explanation.run import Run, join, kind, mark, weighted


class Signs:
    """The notation of one run.

    Layer l is the l-th with weights, dense or a convolution: Z⁽ˡ⁾ and A⁽ˡ⁾, Δ⁽ˡ⁾ = ∂L/∂Z⁽ˡ⁾, and X, Ŷ at the
    ends; small letters for a single sample. What stands behind other layers is Ã (dropout), N (a norm), P (pooling),
    H with a count (anything else).
    """

    def __init__(self, run: Run, layout: str) -> None:
        self.run, self.columns = run, layout == "columns"
        self.of_sequences = any(_is_of_sequences(call) for call in run.calls)
        self.single = len(run.x.data) == 1 and _rows_met(run) == 1
        self.of: dict[Any, str] = {}
        self.names: dict[Any, str] = {}
        for i, x in enumerate(run.inputs):
            number = f"_{{{i + 1}}}" if len(run.inputs) > 1 else ""
            self.of[mark(x)] = ("X" if x.ndim > 2 else self.letter("X")) + number
            self.names[mark(x)] = f"x{i + 1}" if number else "x"
        for path, p in run.parameters.items():
            self.of[mark(p)] = named(path.rpartition(".")[2])
        self.deltas: dict[Any, str] = {}
        self.layer: dict[str, int] = {}
        self.held: dict[str, int] = {}
        """The number that a layer's weights go by: that of its first call."""
        self._name_calls()

    def letter(self, capital: str) -> str:
        """A capital for a batch, a small letter for one sample."""
        return capital.lower() if self.single else capital

    def _name_calls(self) -> None:
        depth, taken, others, delta = 0, set(self.of.values()), 0, self.letter(r"\Delta")
        other = "V" if any(kind(call) == "recurrent" for call in self.run.calls) else "H"  # h is a state there
        for call in self.run.calls:
            if weighted(call):
                depth += 1
                self.deltas[mark(call.output)] = delta + f"^{{({depth})}}"
            self.layer[call.path] = depth
            again = (c.path for c in self.run.calls if c.module is not None and c.module is call.module)
            self.held[call.path] = self.layer[next(again, call.path)]
            if call.passes or mark(call.output) in self.of:
                continue
            head = self.letter(self._head(call))
            sign = f"{head}^{{({depth})}}" if head and depth else ""
            if kind(call) == "recurrent" and "H" not in taken:
                sign = "H"
            if sign in taken or not sign:
                others += 1
                sign = f"{self.letter(other)}_{{{others}}}"
            taken.add(sign)
            self.of[mark(call.output)] = sign
            self.names[mark(call.output)] = call.path
            self._name_further(call)

        last = next((c for c in reversed(self.run.calls) if not c.passes), None)
        if last is not None and kind(last) in ("activation", "softmax"):
            self.of[mark(last.output)] = rf"\hat {self.letter('Y')}"

    def _name_further(self, call: Any) -> None:
        """Last states, hₙ and cₙ: those of every layer and direction where there are several."""
        if kind(call) != "recurrent":
            for i, y in enumerate(call.further):
                self.of[mark(y)] = f"{self.of[mark(call.output)]}'" + "'" * i
                self.names[mark(y)] = f"{call.path}.{i + 2}"
            return
        steps = self.run.x.shape[1] if call.inputs[0].ndim < 3 else call.inputs[0].shape[1]
        for name, y in zip(("h", "c"), call.further, strict=False):
            self.of[mark(y)] = f"{name}_{{{steps}}}" if y.ndim < 3 or len(y.data) == 1 else rf"\mathbf{{{name}}}_{{n}}"
            self.names[mark(y)] = f"{call.path}.{name}_n"

    @staticmethod
    def _head(call: Any) -> str:
        heads = {"activation": "A", "softmax": "A", "dropout": r"\tilde A", "max pooling": "P", "mean pooling": "P"}
        return "Z" if weighted(call) else heads.get(kind(call), "N" if kind(call).endswith("norm") else "")

    # Signs.

    @property
    def spread(self) -> bool:
        """Whether a bias is spread over the samples by a row of ones: in columns, and more than one."""
        return self.columns and not self.single

    @property
    def y_hat(self) -> str:
        """The sign of the prediction, Ŷ or ŷ."""
        return rf"\hat {self.letter('Y')}"

    def sign(self, tensor: Tensor) -> str:
        """What stands for a tensor."""
        return self.of[mark(tensor)]

    def small(self, tensor: Tensor) -> str:
        """What stands for one sample's part of a tensor."""
        return self.sign(tensor).lower()

    def delta(self, tensor: Tensor) -> str:
        """What stands for the derivative of the loss with respect to a tensor."""
        known = self.deltas.get(mark(tensor))
        return known or rf"\partial L/\partial {self.sign(tensor)}"

    def delta_name(self, tensor: Tensor) -> str:
        """The name of that derivative: `fc1.delta`, or `act1.da` where the tensor is no pre-activation."""
        name = self.names[mark(tensor)]
        if mark(tensor) in self.deltas:
            return join(name, "delta")
        if any(tensor is x for x in self.run.inputs):
            return f"d{name}"
        owner, _, last = name.rpartition(".")
        return join(owner, f"d{last}") if last in ("h_n", "c_n") else join(name, "da")

    def weight(self, path: str, transposed: bool = False) -> str:
        """W⁽ˡ⁾ or its transpose."""
        return f"W^{{({self.held[path]})" + (r"\top}" if transposed else "}")

    def bias(self, path: str) -> str:
        """The bias b⁽ˡ⁾, added to every sample."""
        ones = r" \mathbf{1}^\top" if self.spread else ""
        return f"b^{{({self.held[path]})}}{ones}"

    # Numbers.

    def lay(self, array: np.ndarray) -> np.ndarray:
        """Numbers of a batch in the layout: samples in rows, or in columns; of sequences each step is a row."""
        array = np.asarray(array)
        if array.ndim == 3 and self.of_sequences:
            array = array.reshape(-1, array.shape[-1])
        if array.ndim == 1 and not self.columns:
            return array[:, None]
        return array.T if self.columns and array.ndim == 2 else np.array(array)

    def value(self, tensor: Tensor) -> np.ndarray:
        """The numbers of a tensor in the layout."""
        return self.lay(tensor.data)

    def slope(self, tensor: Tensor) -> np.ndarray:
        """The derivative with respect to a tensor in the layout."""
        return self.lay(self.run.gradient(tensor))

    def vector(self, array: np.ndarray) -> np.ndarray:
        """A bias, or its derivative: a row beside rows, a column beside columns."""
        return array.reshape(-1, 1) if self.columns else array.reshape(1, -1)


def _is_of_sequences(call: Any) -> bool:
    """Whether a layer takes sequences of features, (n, T, features)."""
    by_token = kind(call) in ("linear", "layer norm") and call.output.ndim == 3
    return by_token or kind(call) in ("recurrent", "attention", "positions")


def _rows_met(run: Run) -> int:
    """The most rows that a dense layer or the loss takes: samples, or steps of sequences."""
    dense = (call.output for call in run.calls if kind(call) == "linear")
    return max([len(run.rows[0]), *(y.size // y.shape[-1] for y in dense)])


def named(name: str) -> str:
    """A name as a sign: upright."""
    return rf"\mathrm{{{name}}}".replace("_", r"\_")
