"""The section on the data: where it is from, how much of it, which classes, which columns, on which scale."""

from __future__ import annotations

import numpy as np

from chainrule.data import Dataset
from chainrule.glass.drawing.chart import histogram
from chainrule.glass.drawing.png import grey
from chainrule.glass.reporting.markup import (
    Html,
    bar,
    facts,
    figures,
    heading,
    joined,
    paragraph,
    percent,
    picture,
    shortened,
    table,
)
from chainrule.glass.reporting.subject import Subject

TITLE = "Data"

MOST_COLUMNS = 40
MOST_CLASSES = 40


def section(subject: Subject) -> Html:
    """All of it."""
    first = next(iter(subject.parts.values()))
    parts = ", ".join(f"{len(part):,} {name}" for name, part in subject.parts.items())
    pieces = [
        facts(
            [
                ("from", shortened(subject.origin, 200)),
                ("examples", parts),
                ("features", what(subject, first)),
                ("target", shortened(subject.target)),
                ("scaling", subject.scaling),
            ]
        )
    ]
    pieces.append(classes(subject) if subject.task == "classification" else values(subject))
    pieces.append(samples(subject) if subject.pixels else columns(first))
    return joined(pieces)


def what(subject: Subject, data: Dataset) -> str:
    """What one example is."""
    if subject.pixels:
        return f"{data.n_features:,} pixels, images of {' × '.join(map(str, subject.pixels))}"
    return f"{data.n_features:,} numbers an example"


def classes(subject: Subject) -> Html:
    """How many examples each class has, by part."""
    parts = subject.parts
    first = next(iter(parts.values()))
    counts = {name: np.bincount(part.y, minlength=first.n_classes) for name, part in parts.items()}
    train = counts[next(iter(parts))]
    largest, smallest = train.max(), train.min()
    balance = (
        "balanced" if largest < 1.5 * max(smallest, 1) else f"unbalanced: {largest:,} of one, {smallest:,} of another"
    )
    head = ["class", *parts, f"share of the {next(iter(parts))} part"]
    rows = [
        [
            shortened(first.class_names[k]),
            *(int(counts[name][k]) for name in parts),
            Html(f"{bar(train[k] / largest)} {percent(train[k] / train.sum())}"),
        ]
        for k in range(min(first.n_classes, MOST_CLASSES))
    ]
    more = first.n_classes - MOST_CLASSES
    rest = [paragraph(f"And {more:,} classes more.", kind="small")] if more > 0 else []
    title = f"{first.n_classes} classes, {balance}"
    return joined([heading(title), table(head, rows), *rest])


def values(subject: Subject) -> Html:
    """The targets of the first part."""
    first = next(iter(subject.parts.values()))
    y = np.asarray(first.y, np.float64).ravel()
    name = shortened(subject.target or "target", 30)
    said = f"Target of {len(first):,} examples: mean {y.mean():.4g}, standard deviation {y.std():.4g}."
    return figures((histogram(y, x_label=name, title="targets"), said))


def samples(subject: Subject) -> Html:
    """The first image of each class, or the first few."""
    name, data = next(iter(subject.parts.items()))
    if subject.task == "classification":
        rows = [int(np.flatnonzero(data.y == k)[0]) for k in range(data.n_classes) if (data.y == k).any()][:20]
        captions = [shortened(data.class_names[data.y[i]], 16) for i in rows]
    else:
        rows = list(range(min(len(data), 8)))
        captions = [f"{float(np.ravel(data.y[i])[0]):.4g}" for i in rows]
    shown = [(image(subject, data, i), caption) for i, caption in zip(rows, captions, strict=True)]
    return joined([heading(f"What it looks like ({name} part)"), figures(*shown)])


def image(subject: Subject, data: Dataset, row: int) -> Html:
    """One example as ink on paper; of several channels the first three are red, green and blue."""
    low, high = float(data.x[:1000].min()), float(data.x[:1000].max())
    values = data.x[row].reshape(subject.pixels)
    if values.ndim == 3:  # (channels, height, width)
        values = np.moveaxis(values[:3], 0, -1) if len(values) >= 3 else values[0]
    pixels = grey(values, low, high)
    return picture(255 - pixels if values.ndim == 3 else pixels, f"example {row}")


def columns(data: Dataset) -> Html:
    """Each column in numbers."""
    x = np.asarray(data.x, np.float64).reshape(len(data), -1)
    names = data.feature_names or [f"feature {i}" for i in range(x.shape[1])]
    rows = [
        [shortened(name), *map(float, (c.min(), np.median(c), c.mean(), c.std(), c.max()))]
        for name, c in zip(names[:MOST_COLUMNS], x.T[:MOST_COLUMNS], strict=True)
    ]
    more = x.shape[1] - MOST_COLUMNS
    rest = [paragraph(f"And {more:,} columns more.", kind="small")] if more > 0 else []
    head = ["column", "smallest", "median", "mean", "std", "largest"]
    return joined([heading("Columns of the training part, as they are in the data"), table(head, rows), *rest])
