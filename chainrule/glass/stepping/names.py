"""What the arrays of a step are called: fc1.weight, fc1.z, x, y, loss; the others by number, v7."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.ledgers.one_step import Tape, array

FEW = 1
"""Entries up to which a constant is called by its number."""


class Names:
    """Names by node and index of result, and the numbers as they were in the step."""

    def __init__(self, tape: Tape, y: Any) -> None:
        self.tape, self.y = tape, None if y is None else _array(y)
        self.parameters = {p.node: name for name, p in tape.model.named_parameters()}
        self.known: dict[Any, str] = {(node, 0): name for node, name in self.parameters.items()}
        for k, x in enumerate(tape.inputs, start=1):
            if getattr(x, "node", None) is not None:
                self.known[x.node, x.index] = "x" if len(tape.inputs) == 1 else f"x{k}"
        made = (node for node in tape.nodes if node.primitive is not None)
        self.numbered = {node: f"v{k}" for k, node in enumerate(made, start=1)}
        self._name_results()
        self.known[tape.loss.node, tape.loss.index] = "loss"

    def _name_results(self) -> None:
        """The results of layers, innermost first: fc1.z, act1.a; of a layer that is called again, fc1.z_2."""
        taken = set(self.known.values())
        for passage in self.tape.passages:
            for i, x in enumerate(passage.outputs):
                if not passage.path or x.node is None or (x.node, x.index) in self.known:
                    continue
                name = f"{passage.path}.{passage.module.result_name}" + (f".{i}" if i else "")
                free = (f"{name}_{k}" for k in range(2, len(taken) + 3))
                name = name if name not in taken else next(n for n in free if n not in taken)
                taken.add(name)
                self.known[x.node, x.index] = name

    def of_result(self, node: Any, index: int) -> str:
        """The name of a result of an operation."""
        further = f".{index}" if type(node.value) is tuple and index else ""
        return self.known.get((node, index)) or f"{self.numbered[node]}{further}"

    def of(self, operand: Any, numbers: np.ndarray) -> str:
        """The name of an operand; of a constant that is one number, that number."""
        node = getattr(operand, "node", None)
        if node is not None:
            named = self.known.get((node, operand.index))
            return named or (self.of_result(node, operand.index) if node in self.numbered else "leaf")
        if self.y is not None and numbers.size == self.y.size and np.array_equal(numbers.ravel(), self.y.ravel()):
            return "y"
        return f"{numbers.item():.6g}" if numbers.size == FEW and numbers.dtype.kind in "iufb" else "constant"

    def numbers(self, operand: Any) -> np.ndarray:
        """The numbers of an operand, which nobody else writes to."""
        return kept(self.tape.numbers(operand))

    def roles(self, node: Any) -> list[str]:
        """What the formula of an operation calls its operands."""
        parameters = inspect.signature(node.primitive.kernel).parameters.values()
        named = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        return (named + [f"x{k}" for k in range(len(named), len(node.args))])[: len(node.args)]


def kept(numbers: np.ndarray) -> np.ndarray:
    """An array that shares its memory with no other."""
    return numbers if numbers.base is None and numbers.flags.owndata else numbers.copy()


def _array(y: Any) -> np.ndarray:
    return array(y) if isinstance(y, Tensor) or hasattr(y, "__array__") else np.asarray(y)
