"""The section on health: activations, gradients and updates of every layer at several moments of the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from chainrule.glass.reporting.markup import Html, heading, joined, number, paragraph, percent, shaded, table
from chainrule.glass.reporting.subject import Subject
from chainrule.glass.verdicts.evidence import LayerProbe, ParameterProbe, Probe

TITLE = "Health of the layers"

MOMENTS = 8
"""Columns; of more moments some."""

LAYERS = 40
"""Rows; of more layers the first and the last."""

SOUND = 1e-3
"""A healthy ‖Δθ‖/‖θ‖, about."""

DECADES = 3.0
"""Powers of ten over which a colour grows."""

BLUE, ORANGE = "31,119,180", "217,72,15"

SMALLEST = 1e-300
"""What 0 is taken for where its logarithm is needed."""

RECTIFIERS = ("ReLU", "LeakyReLU", "ReLU6", "Threshold")
"""Layers whose units can be dead: 0 for every example."""


def section(subject: Subject) -> Html:
    """A table for each quantity, a row a layer, a column a moment."""
    evidence = subject.evidence
    if evidence is None or not evidence.probes:
        return paragraph("No step of the run was looked into.")
    probes = chosen(evidence.probes)
    steps = ", ".join(f"{probe.step:,}" for probe in probes)
    said = (
        f"Steps {steps} of the run, each on its own batch (at most 256 examples of it). The darker, the larger, over "
        "three powers of ten; of updates, blue is small and orange large."
    )
    pieces = [
        paragraph(said, kind="small"),
        grid("Outputs: standard deviation", probes, spread_rows(probes)),
        grid("Outputs: mean, blue below 0, orange above", probes, mean_rows(probes)),
        grid("Units that are 0 for all examples", probes, dead_rows(probes)),
        grid("Norm of ∂L/∂output", probes, delta_rows(probes)),
        grid("Norm of ∂L/∂θ, by parameter", probes, gradient_rows(probes)),
        grid("Relative update ‖Δθ‖/‖θ‖, by parameter: about 0.001 is healthy", probes, update_rows(probes)),
    ]
    return joined(filter(None, pieces))


def chosen(probes: Sequence[Probe]) -> list[Probe]:
    """The first, the last, and some between."""
    if len(probes) <= MOMENTS:
        return list(probes)
    return [probes[round(i)] for i in np.linspace(0, len(probes) - 1, MOMENTS)]


Rows = list[tuple[str, list[Html]]]


def grid(title: str, probes: Sequence[Probe], rows: Rows) -> Html:
    """A table with a headline; nothing where there are no rows."""
    if not rows:
        return Html("")
    if len(rows) > LAYERS:
        half = LAYERS // 2
        rows = [
            *rows[:half],
            (f"… {len(rows) - LAYERS} more", [Html('<td class="n"></td>')] * len(probes)),
            *rows[-half:],
        ]
    head = ["step", *(f"{probe.step:,}" for probe in probes)]
    return joined([heading(title), table(head, ([name, *cells] for name, cells in rows), kind="grid")])


def layers_of(probes: Sequence[Probe]) -> list[str]:
    """The layers that were seen, in order."""
    return list(dict.fromkeys(path for probe in probes for path in probe.layers))


def by_layer(probes: Sequence[Probe], cell: Callable[[LayerProbe], Html | None]) -> Rows:
    """A row for each layer that has something to tell."""
    rows = []
    for path in layers_of(probes):
        cells = [cell(probe.layers[path]) if path in probe.layers else None for probe in probes]
        if any(c is not None for c in cells):
            kind = next(probe.layers[path].kind for probe in probes if path in probe.layers)
            rows.append((f"{path} {kind}" if path else kind, [c or Html('<td class="n"></td>') for c in cells]))
    return rows


def spread_rows(probes: Sequence[Probe]) -> Rows:
    """The standard deviation of what each layer gives."""

    def cell(layer: LayerProbe) -> Html:
        std = float(layer.output.astype(np.float64).std())
        return shaded(number(std, 2), strength(std, 1e-2))

    return by_layer(probes, cell)


def mean_rows(probes: Sequence[Probe]) -> Rows:
    """The mean of what each layer gives; the darker, the farther from 0 for its deviation."""

    def cell(layer: LayerProbe) -> Html:
        x = layer.output.astype(np.float64)
        mean, std = float(x.mean()), float(x.std())
        return shaded(number(mean, 2), 0.2 * min(3.0, abs(mean) / std if std else 0.0), ORANGE if mean > 0 else BLUE)

    return by_layer(probes, cell)


def dead_rows(probes: Sequence[Probe]) -> Rows:
    """The share of units that gave 0 for every example of the batch."""

    def cell(layer: LayerProbe) -> Html | None:
        if layer.kind not in RECTIFIERS:
            return None
        share = float((layer.output == 0).all(axis=0).mean())
        return shaded(percent(share), 0.8 * share, ORANGE)

    return by_layer(probes, cell)


def delta_rows(probes: Sequence[Probe]) -> Rows:
    """The derivative of the loss by what each layer gives, all examples together."""
    deltas = [norm(layer.delta) for probe in probes for layer in probe.layers.values() if layer.delta is not None]
    largest = largest_of(deltas)

    def cell(layer: LayerProbe) -> Html | None:
        if layer.delta is None:
            return None
        return shaded(number(norm(layer.delta), 2), strength(norm(layer.delta), largest / 10**DECADES))

    return by_layer(probes, cell)


def gradient_rows(probes: Sequence[Probe]) -> Rows:
    """The gradient of each parameter."""
    least = largest_of([p.gradient for probe in probes for p in probe.parameters.values()]) / 10**DECADES
    return by_parameter(probes, lambda p: p.gradient, lambda v: shaded(number(v, 2), strength(v, least)))


def update_rows(probes: Sequence[Probe]) -> Rows:
    """How much of itself each parameter moved; – where it was 0 before, or no update followed."""

    def cell(ratio: float) -> Html:
        if not np.isfinite(ratio):
            return Html('<td class="n">–</td>')
        away = np.log10(max(ratio, 1e-12) / SOUND)
        colour = ORANGE if away > 0 else BLUE
        return shaded(number(ratio, 2), min(0.6, 0.6 * max(0.0, abs(away) - 0.5) / 2.5), colour)

    return by_parameter(probes, lambda p: p.ratio if p.norm else np.nan, cell)


def by_parameter(
    probes: Sequence[Probe], quantity: Callable[[ParameterProbe], float], cell: Callable[[float], Html]
) -> Rows:
    """A row for each parameter, its cells made of one quantity."""
    empty = Html('<td class="n"></td>')
    names = dict.fromkeys(name for probe in probes for name in probe.parameters)
    return [
        (name, [cell(quantity(p.parameters[name])) if name in p.parameters else empty for p in probes])
        for name in names
    ]


def strength(value: float, least: float) -> float:
    """How dark a value is: 0 at the least, 0.6 three powers of ten above."""
    if not np.isfinite(value):
        return 1.0
    above = np.log10(max(value, SMALLEST)) - np.log10(max(least, SMALLEST))
    return 0.6 * float(np.clip(above / DECADES, 0.0, 1.0))


def largest_of(values: Sequence[float]) -> float:
    """The largest finite one."""
    return max((v for v in values if np.isfinite(v)), default=1.0)


def norm(x: np.ndarray) -> float:
    """‖x‖₂ over all entries."""
    return float(np.linalg.norm(x.astype(np.float64).ravel()))
