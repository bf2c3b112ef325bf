"""The section on examples: those that the model gets most wrong, and those that it is surest of."""

from __future__ import annotations

import numpy as np

from chainrule.glass.reporting.data import image
from chainrule.glass.reporting.markup import (
    Html,
    breakable,
    figure_cell,
    figures,
    heading,
    joined,
    number,
    paragraph,
    percent,
    shortened,
    table,
    text,
)
from chainrule.glass.reporting.subject import Subject

TITLE = "Examples"

WORST, BEST = 12, 6

COLUMNS = 6
"""Features of a row that are shown: those in which it is most unusual, where there are more."""


def section(subject: Subject) -> Html:
    """The worst, then the best."""
    p = subject.predictions
    order, n = p.order, len(p.data)
    worst, best = order[: min(WORST, n)], order[::-1][: min(BEST, max(0, n - WORST))]
    measure = "−ln p of the true class" if subject.task == "classification" else "(prediction − truth)²"
    said = f"By their loss, {measure}, in the {subject.judged} part of {n:,} examples; numbers count its rows from 0."
    pieces = [paragraph(said, kind="small"), heading("The worst"), shown(subject, worst)]
    if len(best):
        pieces += [heading("The best"), shown(subject, best)]
    return joined(pieces)


def shown(subject: Subject, rows: np.ndarray) -> Html:
    """Images, or rows of a table."""
    return images(subject, rows) if subject.pixels else lines(subject, rows)


def images(subject: Subject, rows: np.ndarray) -> Html:
    """Images with what is said of them."""
    data = subject.predictions.data
    return figures(*((image(subject, data, i), said(subject, i)) for i in rows.tolist()))


def lines(subject: Subject, rows: np.ndarray) -> Html:
    """A table with truth, prediction and loss before the features."""
    data = subject.predictions.data
    x = np.asarray(data.x, np.float64).reshape(len(data), -1)
    names = list(data.feature_names) or [f"feature {i}" for i in range(x.shape[1])]
    kept = unusual(x, rows)
    classes = subject.task == "classification"
    head = ["row", "truth", "prediction", *(["p(truth)"] if classes else ["error"]), "loss"]
    body = []
    for i in rows.tolist():
        p = subject.predictions
        own = [float(x[i, k]) for k in kept]
        if p.probabilities is None:
            places = [figure_cell(cell) for cell in (truth(subject, i), prediction(subject, i))]
            middle = number_of(p.found[i] - p.truth[i])
        else:
            places = [truth(subject, i), prediction(subject, i)]
            middle = percent(float(p.probabilities[i, p.truth[i]]))
        body.append([i, *places, figure_cell(middle), float(p.losses[i]), *own])
    return table([*head, *(breakable(shortened(names[k], 24)) for k in kept)], body, kind="rows")


def unusual(x: np.ndarray, rows: np.ndarray) -> list[int]:
    """The columns shown: all if they are few, else those in which these rows lie farthest from the mean."""
    if x.shape[1] <= COLUMNS:
        return list(range(x.shape[1]))
    away = np.abs(x[rows] - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-12)
    return sorted(np.argsort(-away.mean(axis=0), kind="stable")[:COLUMNS].tolist())


def said(subject: Subject, i: int) -> Html:
    """Row, truth and prediction of an image; mistakes in another colour."""
    p = subject.predictions
    if p.probabilities is None:
        return Html(f"row {i}: {text(truth(subject, i))}, said {text(prediction(subject, i))}")
    sure, is_right = percent(float(p.probabilities[i, p.found[i]])), p.found[i] == p.truth[i]
    if is_right:
        return Html(f"row {i}: {text(prediction(subject, i))}, {sure}")
    wrong = f"is {text(truth(subject, i))}, said {text(prediction(subject, i))}, {sure}"
    return Html(f'row {i}: <span class="wrong">{wrong}</span>')


def truth(subject: Subject, i: int) -> str:
    """The target of an example as it is in the data."""
    p = subject.predictions
    return shortened(p.data.class_names[p.truth[i]], 24) if p.probabilities is not None else number_of(p.truth[i])


def prediction(subject: Subject, i: int) -> str:
    """What the model says."""
    p = subject.predictions
    return shortened(p.data.class_names[p.found[i]], 24) if p.probabilities is not None else number_of(p.found[i])


def number_of(values: np.ndarray) -> str:
    """One value, or several."""
    return ", ".join(number(float(v), 5) for v in np.ravel(values)[:4])
