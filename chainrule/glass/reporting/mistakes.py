"""The section on mistakes: which class is taken for which; of values, how far predictions lie from the truth."""

from __future__ import annotations

import numpy as np

from chainrule.glass.drawing.chart import Chart, Layer, against, histogram
from chainrule.glass.drawing.sheet import GREY
from chainrule.glass.reporting.markup import (
    Html,
    figure_cell,
    figures,
    heading,
    joined,
    number,
    paragraph,
    percent,
    shaded,
    shortened,
    table,
)
from chainrule.glass.reporting.subject import Subject

TITLE = "Mistakes"

MOST_CLASSES = 25
"""Classes beyond which the matrix is not drawn."""

MOST_POINTS = 2000
"""Points of a chart; of more, evenly chosen ones."""

COMMON = 8
ORANGE = "217,72,15"


def section(subject: Subject) -> Html:
    """Of the judged part."""
    return confusion(subject) if subject.task == "classification" else residuals(subject)


def confusion(subject: Subject) -> Html:
    """The matrix, the commonest mistakes, and scores by class."""
    p = subject.predictions
    matrix, names = p.matrix, [shortened(name, 16) for name in p.data.class_names]
    right = int(np.trace(matrix))
    wrong = len(p.data) - right
    pieces = [paragraph(f"{right:,} of {len(p.data):,} right ({percent(right / len(p.data))}), {wrong:,} wrong.")]
    if len(names) <= MOST_CLASSES:
        share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        rows = [
            [names[i], *(cell(int(matrix[i, j]), share[i, j], i == j) for j in range(len(names)))]
            for i in range(len(names))
        ]
        pieces += [heading("True classes (rows) against predicted ones"), table(["", *names], rows, kind="grid")]
    pieces += [commonest(matrix, names), by_class(matrix, names)]
    return joined(pieces)


def cell(count: int, share: float, right: bool) -> Html:
    """A count on blue, mistakes on orange; none is empty."""
    if not count:
        return Html('<td class="n"></td>')
    return shaded(count, 0.85 * share if right else 0.15 + 0.7 * share, "31,119,180" if right else ORANGE)


def commonest(matrix: np.ndarray, names: list[str]) -> Html:
    """Pairs of classes that are mistaken most."""
    off = matrix.copy()
    np.fill_diagonal(off, 0)
    places = np.argsort(-off, axis=None, kind="stable")[:COMMON]
    pairs = [np.unravel_index(k, off.shape) for k in places if off.ravel()[k]]
    if not pairs:
        return Html("")
    if off.max() == 1 and len(pairs) > 1:
        return paragraph("No two classes are mistaken for each other more than once.", kind="small")
    said = (f"“{names[i]}” taken for “{names[j]}” ({off[i, j]} ×)" for i, j in pairs)
    return paragraph("Most often: ", "; ".join(said), ".")


def by_class(matrix: np.ndarray, names: list[str]) -> Html:
    """Precision, recall and F₁ of each class."""
    hits, true, found = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    rows = []
    for k, name in enumerate(names[: 2 * MOST_CLASSES]):
        precision = hits[k] / found[k] if found[k] else np.nan
        recall = hits[k] / true[k] if true[k] else np.nan
        f1 = 2 * hits[k] / (true[k] + found[k]) if true[k] + found[k] else np.nan
        rows.append(
            [name, int(true[k]), *(figure_cell(percent(v) if np.isfinite(v) else "–") for v in (precision, recall, f1))]
        )
    return joined([heading("By class"), table(["class", "examples", "precision", "recall", "F₁"], rows)])


def residuals(subject: Subject) -> Html:
    """Predictions against targets, and what is left."""
    p = subject.predictions
    every = max(1, -(-p.truth.size // MOST_POINTS))
    truth, found = p.truth.ravel()[::every], p.found.ravel()[::every]
    left = (p.found - p.truth).ravel()
    name = shortened(subject.target or "target", 24)
    zero = np.array([found.min(), found.max()])
    scatter = Chart(
        [Layer(zero, np.zeros(2), colour=GREY, kind="rule"), Layer(found, found - truth, kind="points")],
        "prediction",
        "prediction − truth",
    )
    spread = float(np.sqrt(np.mean(left**2)))
    r2 = 1 - float(np.mean(left**2)) / float(np.var(p.truth)) if np.var(p.truth) else float("nan")
    words = (
        f"In units of the data: root mean square error {number(spread)}, "
        f"mean absolute error {number(float(np.abs(left).mean()))}, bias {number(float(left.mean()))}, "
        f"R² {number(r2)}; the targets have a standard deviation of {number(float(p.truth.std()))}."
    )
    return joined(
        [
            paragraph(words),
            figures(
                (
                    against(truth, found, lambda x: x, x_label=f"true {name}", y_label="prediction"),
                    "On the line it is right.",
                ),
                (scatter, "What is left should not depend on what was said."),
                (histogram(left, x_label="prediction − truth"), f"{left.size:,} residuals."),
            ),
        ]
    )
