"""A model as a table: layers, shapes, parameters, operations; proved from shapes alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import DtypeError, OptionError, ShapeError
from chainrule.core.spec import Spec, UnknownNumbersError, spec_of
from chainrule.core.stack import no_grad, running
from chainrule.nn.ledger import Ledger
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter
from chainrule.plan.memory import sized


@dataclass(frozen=True)
class Row:
    """One layer: path, what it is, shape of its result (None: not called), and what is its own.

    parameters: learned numbers. flops, backward: operations of a pass forward, and of one backward. activations:
    bytes that it makes in the forward pass and the backward pass reads.
    """

    path: str
    kind: str
    shape: Any
    parameters: int
    flops: float
    backward: float
    activations: int


class Summary:
    """The rows of a model and their totals, for one input; `str` gives the table."""

    def __init__(self, title: str, inputs: tuple[Spec, ...], rows: list[Row]) -> None:
        self.title, self.inputs, self.rows = title, inputs, rows

    @property
    def n_parameters(self) -> int:
        """The number of learned numbers; those of a shared layer count once."""
        return sum(row.parameters for row in self.rows)

    @property
    def flops(self) -> float:
        """Floating-point operations of one pass forward, with the batch as given."""
        return sum(row.flops for row in self.rows)

    @property
    def backward(self) -> float:
        """Floating-point operations of one pass backward, from the result to the parameters."""
        return sum(row.backward for row in self.rows)

    @property
    def activations(self) -> int:
        """Bytes that the forward pass makes and keeps for the backward pass; without parameters and inputs."""
        return sum(row.activations for row in self.rows)

    def __str__(self) -> str:
        head = ("layer", "kind", "output", "parameters", "FLOPs", "backward", "kept")
        cells = [_cells(row) for row in self.rows]
        widths = [max(len(row[k]) for row in (head, *cells)) for k in range(len(head))]
        lines = [_line(row, widths) for row in (head, ["─" * w for w in widths], *cells)]
        shapes = " and ".join(str(spec.shape) for spec in self.inputs)
        work = f"{self.flops:,.0f} FLOPs forward, {self.backward:,.0f} backward"
        totals = f"{self.n_parameters:,} parameters, {work}, {sized(self.activations)} kept in between"
        return "\n".join([f"{self.title} on {shapes}", *lines, totals])

    __repr__ = __str__


def summary(model: Module, *inputs: Any) -> Summary:
    """The layers of a model with shapes, parameters, FLOPs and memory, without computing a number.

    `inputs` are what the model is called with: shapes with the batch axis, (128, 784), or examples. The model
    runs forward and backward on shapes alone, by the rules of its operations, in evaluation (dropout and batch
    statistics are left out), and is left as it was. FLOPs (one a multiplication and one an addition) come from the
    costs that operations state; "backward" goes from the result to the parameters. "kept" are the bytes that a layer
    makes in the forward pass and the backward pass reads.

    Raises:
        ShapeError: the model does not fit together; the layer is named.
        DtypeError: the model looks at its numbers, as in `if x.sum() > 0`.

    >>> import chainrule as cr
    >>> model = cr.nn.Sequential(cr.nn.Linear(784, 256), cr.nn.ReLU(), cr.nn.Linear(256, 10))
    >>> print(cr.nn.summary(model, (1, 784)))
    Sequential on (1, 784)
    layer  kind               output    parameters    FLOPs  backward    kept
    ─────  ─────────────────  ────────  ──────────  ───────  ────────  ──────
    0      Linear(784 → 256)  (1, 256)     200,960  401,664   401,408     0 B
    1      ReLU()             (1, 256)           0      256       512  1.0 kB
    2      Linear(256 → 10)   (1, 10)        2,570    5,130    10,240     0 B
    203,530 parameters, 407,050 FLOPs forward, 412,160 backward, 1.0 kB kept in between
    """
    return summarised(model, tuple(given_spec(model, given) for given in inputs), Ledger())


def summarised(model: Module, specs: tuple[Spec, ...], ledger: Ledger) -> Summary:
    """The summary of a model by a ledger, which may note more than the summary tells."""
    with _in_evaluation(model), no_grad(), running(ledger), ledger.at_work():
        try:
            ledger.pass_through(model, specs)
        except DtypeError as error:
            raise _looked_at(error) from None
    return Summary(type(model).__name__, specs, list(_rows(model, ledger)))


@contextmanager
def _in_evaluation(model: Module) -> Iterator[None]:
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


def _looked_at(error: DtypeError) -> DtypeError:
    """The error, or the cause where it is that there are no numbers to look at."""
    if Spec.__name__ not in error.headline and not isinstance(error, UnknownNumbersError):
        return error
    return DtypeError(
        "A summary works on shapes alone, and this model looks at numbers.",
        layer=error.places["layer"],
        fix="leave out numpy(), item() and conditions on values, or summarise the layers one by one",
    )


def _rows(model: Module, ledger: Ledger) -> Iterator[Row]:
    """One row a module; those that only pass things on to the modules below are left out."""
    counted: set[int] = set()
    busy = {*ledger.forward, *ledger.backward}
    for path, module in model.named_modules():
        below, own = list(module.children()), [p for _, p in module._parts() if isinstance(p, Parameter)]
        fresh = {id(p): p.size for p in own if id(p) not in counted}
        counted |= fresh.keys()
        if own or not below or path in busy:
            kind = type(module).__name__ if below else repr(module)
            yield Row(path, kind, ledger.shapes.get(path), sum(fresh.values()), *_work(ledger, path))
            busy.discard(path)
    yield from (Row(path, "made during the call", None, 0, *_work(ledger, path)) for path in sorted(busy))


def _work(ledger: Ledger, path: str) -> tuple[float, float, int]:
    return ledger.forward.get(path, 0.0), ledger.backward.get(path, 0.0), ledger.kept.get(path, 0)


def given_spec(model: Module, given: Any) -> Spec:
    """A shape as floats of the model's dtype, an example as what the model would take in."""
    if isinstance(given, int):
        given = (1, given)
    if isinstance(given, tuple) and all(isinstance(n, int) for n in given):
        if any(n < 0 for n in given):
            raise ShapeError(f"A shape has no negative sizes, got {given}.")
        dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
        return Spec(given, dtype)
    if isinstance(given, tuple) and any(hasattr(one, "shape") for one in given):
        raise OptionError(
            f"An input is a shape or an array of examples, got a tuple of {len(given)}.",
            fix="several inputs one after the other, (model, x1, x2)",
        )
    return spec_of(model._take_in(given))


def _cells(row: Row) -> list[str]:
    shape = "not called" if row.shape is None else str(row.shape)
    work = f"{row.flops:,.0f}", f"{row.backward:,.0f}", sized(row.activations)
    return [row.path or "(itself)", row.kind, shape, f"{row.parameters:,}", *work]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    pairs = list(zip(cells, widths, strict=True))
    return "  ".join([*(cell.ljust(w) for cell, w in pairs[:3]), *(cell.rjust(w) for cell, w in pairs[3:])])
