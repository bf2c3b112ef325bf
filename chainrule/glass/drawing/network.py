"""A network as a drawing: its layers with shapes and parameters, and which hands what to which."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from chainrule.base.errors import OptionError
from chainrule.glass.drawing.flow import Flow, Visit
from chainrule.glass.drawing.svg import Box, Drawing, Line, shape_text
from chainrule.nn import Module
from chainrule.nn.summary import Row, given_spec, summarised

LONGEST = 44
"""Letters of a line; settings beyond are left out, the table of `nn.summary` has them."""

OPERATIONS = 3
"""Operations between layers that are named; of more the number is told."""


def network(model: Module, *inputs: Any, path: str | os.PathLike[str] | None = None) -> Drawing:
    """The layers of a model from the input at the top to the output, found without computing a number.

    Each box has the layer's path, what it is, the shape of its result and its parameters, by `nn.summary`; those
    of a shared layer are told where it is first used. Operations that a `forward` method calls by itself have boxes of
    their own, named after the module. Edges are what the pass through the model did, branches and shortcuts included.

    Args:
        model: a module.
        inputs: what it is called with: shapes with the batch axis, (1, 784), or examples.
        path: where the SVG is saved, if anywhere.

    Raises:
        OptionError: the model is no module, no input is given, or the path does not end in .svg.
        ShapeError: the model does not fit together; the layer is named.
        DtypeError: the model looks at its numbers.

    >>> import chainrule as cr
    >>> model = cr.nn.Sequential(fc1=cr.nn.Linear(2, 3), act=cr.nn.Tanh())
    >>> cr.draw.network(model, (1, 2)).texts[2:]
    ['fc1', 'Linear(2 → 3)', '(1, 3)', '9 parameters', 'act', 'Tanh()', '(1, 3)']
    """
    if not isinstance(model, Module):
        raise OptionError(
            f"draw.network needs a model made of modules, got {type(model).__name__}.",
            fix="cr.draw.graph(y) for the operations of any computation",
        )
    if not inputs:
        raise OptionError(
            "draw.network needs an input, to follow it through the model.",
            fix="its shape with the batch axis, as draw.network(model, (1, 784))",
        )
    specs = tuple(given_spec(model, given) for given in inputs)
    flow = Flow(model, specs)
    facts = summarised(model, specs, flow)
    visits = [*flow.inputs, *flow.visits]
    place = {visit: k for k, visit in enumerate(visits)}
    edges = [(place[source], place[visit]) for visit in visits for source in visit.sources]
    title = f"{facts.title}: {facts.n_parameters:,} parameters"
    drawing = Drawing(title, _boxes(flow, {row.path: row for row in facts.rows}, facts.title), edges)
    if path is not None:
        drawing.save(path)
    return drawing


def _boxes(flow: Flow, rows: dict[str, Row], title: str) -> list[Box]:
    boxes = [Box([Line(visit.path, "name"), Line(shape_text(visit.shape))], "given") for visit in flow.inputs]
    told: set[str] = set()
    for visit in flow.visits:
        row = rows.get(visit.path)
        whole = row is not None and visit.path in flow.leaves
        lines = [Line(shortened(visit.path or title), "name"), *_facts(visit, row if whole else None)]
        if row is not None and row.parameters and visit.path not in told:
            lines.append(Line(f"{row.parameters:,} parameter{'s' * (row.parameters != 1)}", "value"))
        told.add(visit.path)
        boxes.append(Box(lines, "layer" if whole else "operation"))
    return boxes


def _facts(visit: Visit, row: Row | None) -> Iterator[Line]:
    """What a layer is, or the operations of a module between its layers; and the shape."""
    if row is not None:
        if row.kind != visit.path:
            yield Line(shortened(row.kind))
    elif len(visit.operations) <= OPERATIONS:
        yield from map(Line, visit.operations)
    else:
        yield Line(f"{visit.operations[0]} … {visit.operations[-1]}")
        yield Line(f"{len(visit.operations)} operations")
    yield Line(shortened(shape_text(visit.shape)))


def shortened(text: str) -> str:
    """At most `LONGEST` letters, in one line."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
