"""The computational graph of an expression of numbers: its values, its adjoints backward, its tangents forward."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.core import Graph, Tensor, gradients
from chainrule.glass.explanation.differences import Check, Replay, check
from chainrule.glass.explanation.figures import Figures
from chainrule.glass.explanation.loss_formulas import with_letters
from chainrule.glass.explanation.rules import joined
from chainrule.glass.explanation.steps import Formula, Step
from chainrule.glass.explanation.story import Part
from chainrule.glass.explanation.walk import Walk, part, shown

FORWARD = r"the tangent $\dot v_j = \sum_k \dot v_k\, \partial v_j/\partial v_k$ over all $v_k$ that $v_j$ is made of"
REVERSE = r"the adjoint $\bar v_j = \sum_k \bar v_k\, \partial v_k/\partial v_j$ over all $v_k$ that are made of $v_j$"


def explain_graph(
    function: Callable[..., Any],
    *inputs: float,
    digits: int = 5,
    title: str = "",
    words: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
) -> Walk:
    """The graph of an expression of numbers, node by node: values, adjoints by reverse mode, tangents by forward mode.

    Nodes are v₁, v₂, ...: the inputs first, then the operations in the order they are computed; the last is L. With
    v̄ⱼ = ∂L/∂vⱼ and, for one input x, v̇ⱼ = ∂vⱼ/∂x,

        v̄ⱼ = Σₖ v̄ₖ ∂vₖ/∂vⱼ   over what is made of vⱼ         (reverse mode: one pass for all inputs)
        v̇ⱼ = Σₖ v̇ₖ ∂vⱼ/∂vₖ   over what vⱼ is made of          (forward mode: a pass for each input)

    The steps are `v3`, `v3.bar` and `v3.dot.x1`, with the name of the argument. Everything is computed in float64 by
    the library, and every adjoint is checked by central differences. `notes` are printed below steps, by name.
    000 ch. 10, (10.1)-(10.8).

    Raises:
        OptionError: an input or a result on the way is no single number, or the result does not depend on the inputs.

    >>> walk = explain_graph(lambda x1, x2: ((x1 + x2) * x1) ** 2, 2, 3)
    >>> print(walk.step("v1.bar"), "=", walk["v1.bar"])
    v̄₁ = v̄₃ ∂v₃/∂v₁ + v̄₄ ∂v₄/∂v₁ = 140.0
    """
    expression = _Expression(function, inputs, digits, notes or {})
    return Walk(title or f"Explained: {expression.heading}", expression.parts(), words, digits)


class _Expression:
    """The recorded graph of an expression, and the steps that tell it."""

    def __init__(
        self, function: Callable[..., Any], inputs: Sequence[float], digits: int, notes: Mapping[str, str]
    ) -> None:
        self.figures, self.notes, self.names = Figures(digits), notes, _names(function, len(inputs))
        self.inputs = [Tensor(_number(value)).requires_grad_() for value in inputs]
        self.result = function(*self.inputs)
        self._accept()
        self.nodes = [node for node in Graph(self.result) if node.primitive is not None]
        places = [*(x.node for x in self.inputs), *self.nodes]
        self.order = {node: i for i, node in enumerate(places, 1)}
        self.tensors = {node: Tensor(node.value, node.trace, node) for node in self.nodes}
        self.tensors |= {x.node: x for x in self.inputs}
        bars = gradients(self.result, list(self.tensors.values()))
        self.bars = dict(zip(self.tensors, (float(bar.data) for bar in bars), strict=True))
        self.replay = Replay(self.result)

    def _accept(self) -> None:
        if not isinstance(self.result, Tensor) or self.result.node is None:
            raise OptionError("The result does not depend on the inputs, so there is no graph to explain.")
        for node in Graph(self.result):
            if np.size(node.value) != 1 if node.primitive is not None else node.shape != ():
                raise OptionError(
                    f"explain_graph shows expressions of numbers, and {node.name} gave an array of shape {node.shape}.",
                    line=getattr(node, "source", "") or "the inputs",
                    fix="cr.explain for a model on arrays",
                )

    @property
    def heading(self) -> str:
        """The operations in one line."""
        return " → ".join(node.name.replace("_", " ") for node in self.nodes)

    def parts(self) -> Iterator[Part]:
        """Values, adjoints, and tangents for each input."""
        given = [(_indexed(name), x.data) for name, x in zip(self.names, self.inputs, strict=True)]
        yield part("Forward", *map(self.value, self.order), given=given)
        behind = [self.adjoint(node) for node in reversed(self.order)]
        yield part("Backward: reverse mode, one pass for all inputs", *behind, words=[REVERSE])
        for name, x in zip(self.names, self.inputs, strict=True):
            steps = self.tangents(name, x.node)
            yield part(f"Forward mode: a pass for the input {name}", *steps, words=[FORWARD])

    # Signs.

    def sign(self, node: Any) -> str:
        """v₃, or L for the result."""
        return "L" if node is self.nodes[-1] else f"v_{_braced(self.order[node])}"

    def label(self, node: Any) -> str:
        """The same as the name of a step."""
        return "L" if node is self.nodes[-1] else f"v{self.order[node]}"

    def written(self, operand: Any, with_numbers: bool) -> str:
        """An operand of an operation: its sign, or its number."""
        node = getattr(operand, "node", None)
        if node in self.order and not with_numbers:
            return self.sign(node)
        value = float(_held(operand))
        number = _power(self.figures.number(np.float64(value)))
        return f"({number})" if value < 0 else number

    # Steps.

    def value(self, node: Any) -> Step:
        """What a node is computed from."""
        if node.primitive is None:
            name = self.names[self.order[node] - 1]
            return self._step(self.label(node), f"{self.sign(node)} = {_indexed(name)}", node, caption="input")
        rule, numbers = (self._formula(node, 0, with_numbers) for with_numbers in (False, True))
        caption = node.name.replace("_", " ")
        return self._step(self.label(node), f"{self.sign(node)} = {rule}", node, (numbers,), caption=caption)

    def adjoint(self, node: Any) -> Step:
        """v̄ by all nodes that are made of this one."""
        bar, name = rf"\bar {self.sign(node)}", f"{self.label(node)}.bar"
        if node is self.nodes[-1]:
            return shown(name, r"\bar L = \partial L/\partial L", 1.0, phase="backward", notes=self._notes(name))
        users = [user for user in self.nodes if any(p is node for p in user.parents)]
        partials = [self.partial(user, node) for user in users]
        rule = " + ".join(rf"\bar {self.sign(u)}\, \partial {self.sign(u)}/\partial {self.sign(node)}" for u in users)
        terms = [(np.float64(self.bars[u]), r"\cdot", np.float64(p)) for u, p in zip(users, partials, strict=True)]
        expanded = tuple(self._partial_line(u, node, p) for u, p in zip(users, partials, strict=True))
        return shown(
            name, f"{bar} = {rule}", self.bars[node], joined("+", terms), phase="backward", expanded=expanded,
            notes=self._notes(name), check=self._check(node),
        )  # fmt: skip

    def tangents(self, name: str, start: Any) -> Iterator[Step]:
        """v̇ of every node, for one input that moves."""
        dots: dict[Any, float] = {}
        for node in self.order:
            label, sign = f"{self.label(node)}.dot.{name}", rf"\dot {self.sign(node)}"
            if node.primitive is None:
                dots[node] = float(node is start)
                rule = rf"{sign} = \partial {self.sign(node)}/\partial {_indexed(name)}"
                yield shown(label, rule, dots[node], phase="tangent", notes=self._notes(label))
                continue
            parents = [p for p in dict.fromkeys(node.parents) if p in self.order]
            partials = [self.partial(node, p) for p in parents]
            dots[node] = sum(dots[p] * d for p, d in zip(parents, partials, strict=True))
            rule = " + ".join(
                rf"\dot {self.sign(p)}\, \partial {self.sign(node)}/\partial {self.sign(p)}" for p in parents
            )
            terms = [(np.float64(dots[p]), r"\cdot", np.float64(d)) for p, d in zip(parents, partials, strict=True)]
            notes = self._notes(label)
            if node is self.nodes[-1]:
                notes = (*notes, rf"$\bar {self.sign(start)}$ of reverse mode")
            yield shown(label, f"{sign} = {rule}", dots[node], joined("+", terms), phase="tangent", notes=notes)

    def partial(self, node: Any, parent: Any) -> float:
        """∂(node)/∂(parent), over all places where the parent is an operand."""
        args = tuple(map(_held, node.args))
        moved = [i for i, a in enumerate(node.args) if getattr(a, "node", None) is parent]
        one = np.ones((), np.float64)
        dots = [tuple(one if i == place else None for i in range(len(args))) for place in moved]
        return sum(float(node.primitive.push(node.value, args, d, node.params)) for d in dots)

    def _partial_line(self, node: Any, parent: Any, value: float) -> Formula:
        """∂v₄/∂v₁ = v₃ = 5, by the formula of the operation."""
        head = rf"\partial {self.sign(node)}/\partial {self.sign(parent)}"
        places = [i for i, a in enumerate(node.args) if getattr(a, "node", None) is parent]
        formula = self._formula(node, 1 + places[0], False) if len(places) == 1 else ""
        own = () if not formula or re.fullmatch(r"-?\d+", formula) else ("=", formula)
        return (head, *own, "=", np.float64(value))

    def _formula(self, node: Any, which: int, with_numbers: bool) -> str:
        """The formula of a node's value (0), or of its derivative by an operand, with signs or numbers for letters."""
        latex = node.primitive.latex
        if len(latex) <= which:
            return ""
        right = latex[which].partition(" = ")[2].partition(r",\;")[0]
        right = re.sub(r" \\odot \\bar y$|(?<=\])\\,\\bar y$", "", right).replace(r"\bar y", "1")
        letters = {name: self.written(a, with_numbers) for name, a in zip(_letters(node), node.args, strict=False)}
        letters |= {"y": self.sign(node), "n": f"{node.params['exponent']:g}" if "exponent" in node.params else "n"}
        return with_letters(right.replace(r"\odot", r"\cdot"), letters)

    def _check(self, node: Any) -> Check:
        return check(self.replay, np.ones(()), self.tensors[node], np.array(self.bars[node]))

    def _step(self, name: str, rule: str, node: Any, numbers: Formula | None = None, *, caption: str = "") -> Step:
        value = self.tensors[node].data
        return shown(name, rule, value, numbers, caption=caption, notes=self._notes(name))

    def _notes(self, name: str) -> tuple[str, ...]:
        return (self.notes[name],) if name in self.notes else ()


def _number(value: Any) -> np.ndarray:
    array = np.asarray(_held(value), np.float64)
    if array.size != 1:
        raise OptionError(
            f"explain_graph shows expressions of numbers, got an input of shape {array.shape}.",
            fix="cr.explain for a model on arrays",
        )
    return array.reshape(())


def _held(operand: Any) -> Any:
    return operand.data if isinstance(operand, Tensor) else operand


def _names(function: Callable[..., Any], n: int) -> list[str]:
    """The names of the arguments, x1, x2, ... where the function has none."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    own = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return own[:n] if len(own) >= n else [f"x{i}" for i in range(1, n + 1)]


def _letters(node: Any) -> list[str]:
    """The letters of a primitive's formula for its operands: the names of its kernel's arguments."""
    parameters = inspect.signature(node.primitive.kernel).parameters.values()
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def _indexed(name: str) -> str:
    """x1 as x₁; another name as it is, upright if it has several letters."""
    if found := re.fullmatch(r"([A-Za-z])_?(\d+)", name):
        return f"{found[1]}_{_braced(found[2])}"
    return name if len(name) == 1 else rf"\mathrm{{{name}}}".replace("_", r"\_")


def _braced(index: Any) -> str:
    return f"{index}" if len(str(index)) == 1 else f"{{{index}}}"


def _power(number: str) -> str:
    """2.0e−09 as LaTeX."""
    mantissa, _, exponent = number.replace("−", "-").partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
