"""The section on the model: its layers as a table and as a drawing."""

from __future__ import annotations

from chainrule.glass.drawing.network import network
from chainrule.glass.reporting.markup import Html, beside, facts, joined, table
from chainrule.glass.reporting.subject import Subject
from chainrule.nn import summary
from chainrule.plan.memory import sized

TITLE = "Model"


def section(subject: Subject) -> Html:
    """Layers, parameters, operations, and who hands what to whom."""
    first = next(iter(subject.parts.values()))
    shape = (1, *subject.inputs(first.x[:1]).shape[1:])
    layers = summary(subject.model, shape)
    rows = [[r.path, r.kind, str(r.shape), r.parameters, int(r.flops), int(r.backward)] for r in layers.rows]
    rows.append(["all", type(subject.model).__name__, "", layers.n_parameters, int(layers.flops), int(layers.backward)])
    drawing = Html(f'<div class="wide">{network(subject.model, shape)}</div>')
    return joined(
        [
            facts(
                [
                    ("parameters", layers.n_parameters),
                    ("operations for one example", f"{layers.flops:,.0f} forward, {layers.backward:,.0f} backward"),
                    ("kept for one example", sized(layers.activations)),
                    ("loss", subject.loss),
                    ("optimiser", subject.optimizer),
                ]
            ),
            beside(table(["layer", "kind", "output", "parameters", "FLOPs", "FLOPs backward"], rows, "total"), drawing),
        ]
    )
