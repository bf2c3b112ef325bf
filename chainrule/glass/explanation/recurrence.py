"""A recurrent layer step by step: what the ledger finds inside of it, and how each quantity is checked.

Nothing is computed here that the ledger does not compute. A derivative inside is checked on the layer's own kernel: it
is run again from the step on, with another number there, and so is everything behind the layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from chainrule.core import PRIMITIVES, Graph, Tensor
from chainrule.glass.explanation.cells import KERNELS, kernel_of
from chainrule.glass.explanation.differences import Check, Replay, check
from chainrule.glass.explanation.run import Run, mark
from chainrule.glass.ledgers.recurrent import GATES, of_sequence
from chainrule.glass.record import Call
from chainrule.nn import Recurrent

Results = tuple[np.ndarray, ...]
"""What the kernel of a recurrence gives: states, and for some cells and gates, (n, T, …)."""


@dataclass(frozen=True, eq=False)
class Recurrence:
    """One layer in one direction.

    `arguments` are those of its kernel: x, first states, W, U, biases, and a mask where there is one. `values` are
    by the ledger's names: "h", "dh", "i", "z_i", "delta_i", (n, T, hidden_size). `end` is the end of the names of its
    parameters; `onto` says which nodes of the graph hold its results. `arriving` are the cotangents of the results.
    """

    kind: str
    end: str
    arguments: Results
    reverse: bool
    nonlinearity: str
    has_bias: bool
    results: Results
    arriving: Results
    values: dict[str, np.ndarray]
    onto: Callable[[Results], dict[Any, Any]]
    replay: Replay

    @property
    def gates(self) -> tuple[str, ...]:
        """The gates in the order in which W holds them; of the plain network one without a name."""
        return GATES[self.kind]

    @property
    def x(self) -> np.ndarray:
        return self.arguments[0]

    @property
    def states(self) -> int:
        """How many states it has: h, and of an LSTM c."""
        return 2 if self.kind == "lstm" else 1

    @property
    def w(self) -> np.ndarray:
        return self.arguments[1 + self.states]

    @property
    def u(self) -> np.ndarray:
        return self.arguments[2 + self.states]

    @property
    def biases(self) -> Results:
        """b, and b' of PyTorch's GRU."""
        return self.arguments[3 + self.states :][: 2 if self.kind == "gru" else 1]

    @property
    def mask(self) -> np.ndarray | None:
        """Which steps belong to the sequences (n, T)."""
        rest = self.arguments[3 + self.states + len(self.biases) :]
        return rest[0] if rest else None

    @property
    def size(self) -> int:
        return self.u.shape[-1]

    @property
    def order(self) -> range:
        """The steps (from 0) in the order in which they are computed."""
        steps = range(self.x.shape[1])
        return steps[::-1] if self.reverse else steps

    def at(self, name: str, t: int) -> np.ndarray:
        """A quantity at step t (from 0), (n, hidden_size)."""
        return self.values[name][:, t]

    def before(self, name: str, t: int) -> np.ndarray:
        """A state h or c as step t finds it."""
        earlier = t + 1 if self.reverse else t - 1
        return self.at(name, earlier) if earlier in self.order else self.arguments[1 + (name == "c")]

    def rows(self, gate: str) -> slice:
        """The rows of W, U and b that belong to a gate."""
        k = self.gates.index(gate)
        return slice(k * self.size, (k + 1) * self.size)

    # Checks.

    def check(self, name: str, slope: str, t: int) -> Check:
        """dL/d(quantity) at a step against differences: of "h", "c" or a pre-activation; `slope` is its name."""
        again = Again(self, name, t)
        return check(again, np.ones(again.result.shape), again.start, self.at(slope, t))


class Again(Replay):
    """The loss as a function of a quantity of one step: the recurrence is taken up there again."""

    def __init__(self, recurrence: Recurrence, name: str, t: int) -> None:
        self.recurrence, self.name, self.t = recurrence, name, t
        self.result, self.start = recurrence.replay.result, Tensor(recurrence.at(name, t)).requires_grad_()

    def __call__(self, tensor: Tensor, values: np.ndarray) -> np.ndarray:
        """The loss with `values` for the quantity."""
        taken_up = self._from_state if self.name in ("h", "c") else self._from_gate
        return self.recurrence.replay.with_all(self.recurrence.onto(taken_up(values)))

    def _from_gate(self, values: np.ndarray) -> Results:
        """The results with another pre-activation: the difference comes in as one more input, with weight 1."""
        r = self.recurrence
        more = np.zeros((*r.x.shape[:2], len(r.w)))
        more[:, self.t, r.rows(self.name.removeprefix("z").removeprefix("_"))] = values - r.at(self.name, self.t)
        x, w = np.concatenate([r.x, more], -1), np.concatenate([r.w, np.eye(len(r.w))], -1)
        return _kernel(r, x, r.arguments[1 : 1 + r.states], w, r.mask)

    def _from_state(self, values: np.ndarray) -> Results:
        """The results with another state: those before it stay, those behind it follow from it."""
        r, t = self.recurrence, self.t
        results = tuple(v.copy() for v in r.results)
        if self.name == "c":
            results[1][:, t] = values
            results[0][:, t] = _outcome(r, t, values)
        else:
            results[0][:, t] = values
        later = slice(0, t) if r.reverse else slice(t + 1, None)
        if r.x[:, later].shape[1]:
            states = tuple(v[:, t] for v in results[: r.states])
            mask = None if r.mask is None else r.mask[:, later]
            for whole, part in zip(results, _kernel(r, r.x[:, later], states, r.w, mask), strict=True):
                whole[:, later] = part
        return results


def _outcome(r: Recurrence, t: int, c: np.ndarray) -> np.ndarray:
    """h = o ⊙ tanh c, or the state as it was where the mask leaves the step out."""
    h = r.at("o", t) * np.tanh(c)
    return h if r.mask is None else np.where(r.mask[:, t, None], h, r.before("h", t))


def _kernel(r: Recurrence, x: Any, states: Any, w: Any, mask: Any) -> Results:
    settings = {"nonlinearity": r.nonlinearity} if r.kind == "rnn" else {}
    masks = () if mask is None else (mask,)
    found = PRIMITIVES[r.kind](x, *states, w, r.u, *r.biases, *masks, reverse=r.reverse, **settings)
    return found if type(found) is tuple else (found,)


# Where they come from.


def recurrences(run: Run, call: Call) -> list[Recurrence]:
    """The layers and directions of a recurrent layer, in the order in which they are computed."""
    if call not in run.worked:
        of_cell = isinstance(call.module, Recurrent)
        run.worked[call] = [_of_cell(run, call)] if of_cell else list(_of_layers(run, call))
    return run.worked[call]


def _of_layers(run: Run, call: Call) -> Iterator[Recurrence]:
    ends = [end for _, end in call.module._runs()]
    nodes = [node for node in Graph(*call.outputs) if node.path == call.path and node.name in KERNELS]
    for node, end in zip(nodes, ends, strict=True):
        results = node.value if type(node.value) is tuple else (node.value,)
        bars = [run.tape.bars.get((node, i), np.zeros(np.shape(v))) for i, v in enumerate(results)]
        yield _made(run, call, node, end, partial(_onto_node, node), bars)


def _onto_node(node: Any, results: Results) -> dict[Any, Any]:
    return {node: results if type(node.value) is tuple else results[0]}


def _of_cell(run: Run, call: Call) -> Recurrence:
    """A cell that is run over a sequence does step by step what the kernel of its kind does in one go."""
    layer, kind, x = call.module, kernel_of(call.module.cell), call.inputs[0]
    cell, given = layer.cell, [v.data for v in call.inputs[1:]]
    states = given or [np.zeros((len(x.data), cell.hidden_size))] * (2 if kind == "lstm" else 1)
    settings = {"nonlinearity": cell.nonlinearity} if kind == "rnn" else {}
    sequence = Tensor(x.data).requires_grad_()
    own = [getattr(cell, name) for name in cell.biases]
    biases = [np.zeros(len(cell.weight_hh.data)) if b is None else b.data for b in own]
    biases = biases if kind == "gru" else [np.sum(biases, 0)]
    weights = cell.weight_ih.data, cell.weight_hh.data, *biases
    y = PRIMITIVES[kind](sequence, *states, *weights, reverse=layer.reverse, **settings)
    first = y if isinstance(y, Tensor) else y[0]
    last = 0 if layer.reverse else x.shape[1] - 1

    def onto(results: Results) -> dict[Any, Any]:
        ends = (results[0], *(v[:, last] for v in results[: 1 + (kind == "lstm")]))
        return {out.node: v for out, v in zip(call.outputs, ends, strict=True) if out.node is not None}

    results = first.node.value if type(first.node.value) is tuple else (first.node.value,)
    arriving = [np.zeros(np.shape(v)) for v in results]
    arriving[0] += run.gradient(call.output)
    arriving[0][:, last] = run.gradient(call.further[0])  # the sequence's share is in it
    if kind == "lstm" and mark(call.further[1]) in run.uses:
        _, cells, gates = (np.asarray(v)[:, last] for v in results)
        through_h = run.gradient(call.further[0]) * gates[:, -cell.hidden_size :] * (1 - np.tanh(cells) ** 2)
        arriving[1][:, last] = run.gradient(call.further[1]) - through_h
    return _made(run, call, first.node, "", onto, arriving)


def _made(
    run: Run, call: Call, node: Any, end: str, onto: Callable[[Results], dict[Any, Any]], bars: list[Any]
) -> Recurrence:
    tape = replace(run.tape, bars={(node, i): bar for i, bar in enumerate(bars)})
    results = node.value if type(node.value) is tuple else (node.value,)
    return Recurrence(
        kind=node.name,
        end=end,
        arguments=tuple(tape.numbers(a) for a in node.args),
        reverse=node.params["reverse"],
        nonlinearity=node.params.get("nonlinearity", "tanh"),
        has_bias=any("bias" in name for name, _ in call.module.named_parameters()),
        results=tuple(map(np.asarray, results)),
        arriving=tuple(map(np.asarray, bars)),
        values=dict(of_sequence(tape, node)),
        onto=onto,
        replay=run.replay,
    )
