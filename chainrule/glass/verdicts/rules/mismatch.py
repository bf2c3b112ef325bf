"""Outputs and losses that do not fit: a range that misses the targets, labels as numbers, a loss that looks away."""

from __future__ import annotations

from functools import partial

import numpy as np

from chainrule.glass.verdicts import pictures
from chainrule.glass.verdicts.case import Case
from chainrule.glass.verdicts.reference import columns, picked, reference
from chainrule.glass.verdicts.rules.softmax import squashed_twice
from chainrule.glass.verdicts.standing import Standing, loss_value, same
from chainrule.glass.verdicts.verdict import Verdict

OUTSIDE = 0.02
"""A share of the targets out of reach from which the range is wrong: less are outliers."""

MOST_CLASSES = 50
MARGIN = 0.1

EVEN = 1.5
HIT = 0.99
"""Whole numbers from 0 on, each about as often as any other, are labels, unless an output hits them nearly always."""

LOGITS = ("cross-entropy", "bce")
QUANTITIES = ("mse", "mae", "huber", "sse", "half-squared")


def mismatch(case: Case) -> Verdict | None:
    """The loss asks for what the outputs cannot be, or reads targets as what they are not."""
    rules = (
        _one_output_softmax,
        _out_of_reach,
        squashed_twice,
        _logits_of_one_sign,
        _labels_as_numbers,
        _classes_apart,
        _blind,
        _unfair,
    )
    return next(filter(None, (rule(case) for rule in rules)), None)


def _verdict(case: Case, headline: str, evidence: tuple[str, ...], fix: str, picture: object = None) -> Verdict:
    z = case.evidence.prediction
    draw = picture or partial(pictures.distribution, "The outputs", {"outputs": z}, "output")
    return Verdict("loss does not fit output", headline, evidence, fix, case.last_layer, picture=draw)  # type: ignore[arg-type]


def _one_output_softmax(case: Case) -> Verdict | None:
    """A softmax over one number is 1."""
    z, reach = case.evidence.prediction, case.reach
    if (
        z is None
        or reach is None
        or not (reach.low == reach.high == 1.0 or (z.ndim > 1 and z.shape[-1] == 1 and (z == 1).all()))
    ):
        return None
    return _verdict(
        case,
        "Every output is exactly 1, whatever the weights: it is the softmax of a single number.",
        ("the gradient of all parameters is 0", "healthy: a softmax over one output for each class"),
        "two outputs, or a sigmoid (better: one logit, and binary_cross_entropy_with_logits)",
    )


def _out_of_reach(case: Case) -> Verdict | None:
    """Targets of a regression that the activation at the end cannot give."""
    e, reach = case.evidence, case.reach
    signs = case.loss in ("hinge", "perceptron")
    values = case.loss in QUANTITIES or (not case.loss and case.train is not None and case.train.kind == "values")
    if reach is None or e.train is None or e.train.y is None or not (signs or values):
        return None
    if not (reach.unit or reach.signed_unit or reach.positive or reach.negative or reach.distribution):
        return None
    t = np.asarray(e.train.y, np.float64)
    low = -np.inf if reach.negative else -1.0 if reach.signed_unit else 0.0
    high = np.inf if reach.positive else 0.0 if reach.negative else 1.0
    slack = 0.05 * (t.std() or 1.0)
    share = float(((t < low - slack) | (t > high + slack)).mean())
    if share < OUTSIDE:
        return None
    interval = f"[{low:g}, {high:g}]".replace("[-inf", "(−∞").replace("inf]", "∞)")
    return _verdict(
        case,
        f"{100 * share:.0f} % of the targets lie outside {interval}, the range that the outputs never leave.",
        (
            f"targets go from {t.min():.4g} to {t.max():.4g}",
            f"outputs go from {reach.low:.3g} to {reach.high:.3g} under large weights drawn at random, and no further",
            "healthy: a last layer without an activation, or with one that covers the targets",
        ),
        "no activation behind the last layer, or targets scaled into its range",
        partial(pictures.distribution, "Targets beyond the outputs", {"targets": t, "outputs": e.prediction}, "value"),
    )


def _logits_of_one_sign(case: Case) -> Verdict | None:
    """Logits that an activation keeps from one side, or keeps small."""
    reach = case.reach
    if reach is None or case.loss not in LOGITS or reach.logarithms or reach.unit or reach.distribution:
        return None
    if not (reach.positive or reach.negative or reach.signed_unit):
        return None
    kind = "never below 0" if reach.positive else "never above 0" if reach.negative else "never outside [−1, 1]"
    return _verdict(
        case,
        f"The loss takes logits, which are any numbers, and the outputs are {kind}.",
        (
            f"outputs go from {reach.low:.3g} to {reach.high:.3g} under large weights drawn at random",
            "healthy: logits straight from the last linear layer, without an activation",
        ),
        "no activation behind the last layer",
    )


def _labels_as_numbers(case: Case) -> Verdict | None:
    """Class labels that a single output is to hit as numbers, although they have no order."""
    e = case.evidence
    if (
        case.train is None
        or case.train.kind != "values"
        or case.loss not in ("mse", "mae", "huber", "half-squared", "sse")
    ):
        return None
    assert e.train is not None and e.prediction is not None
    t = np.asarray(e.train.y).reshape(-1)
    if e.prediction.size != len(e.train.x) or t.size != len(e.train.x) or not (t == np.round(t)).all():
        return None
    labels = np.unique(t)
    several = 3 <= len(labels) <= MOST_CLASSES and len(t) >= 10 * len(labels)
    if not several or labels.max() - labels.min() != len(labels) - 1 or np.asarray(e.train.x).dtype.kind != "f":
        return None
    hit = float((np.round(e.prediction.reshape(-1)) == t).mean())
    other = _as_classes(np.asarray(e.train.x), (t - labels.min()).astype(int))
    distances, disordered = _order(np.asarray(e.train.x), (t - labels.min()).astype(int))
    counts = np.array([(t == label).sum() for label in labels])
    dealt = labels.min() == 0 and counts.max() <= EVEN * counts.min() and hit < HIT
    if other - hit < MARGIN and not disordered and not dealt:
        return None
    return _verdict(
        case,
        f"The targets are {len(labels)} class labels, and one output is to hit them as numbers.",
        (
            f"targets are the whole numbers {labels.min():g} to {labels.max():g}, in {len(t)} examples",
            f"rounded outputs are right for {100 * hit:.0f} % of the training data; "
            f"treated as classes, a quick learner gets {100 * other:.0f} % of unseen rows right",
            distances,
        ),
        f"{len(labels)} outputs and cross_entropy",
        partial(pictures.distribution, "Labels hit as numbers", {"targets": t, "outputs": e.prediction}, "value"),
    )


def _as_classes(x: np.ndarray, labels: np.ndarray) -> float:
    """The accuracy on unseen rows of learners that take the labels as classes."""
    base = 1 - np.bincount(labels).max() / len(labels)
    found = reference(x, Standing("classes", np.ones(len(labels)), float(base), labels, labels))
    return 1 - float(found.errors.mean()) if found is not None else 0.0


def _order(x: np.ndarray, labels: np.ndarray) -> tuple[str, bool]:
    """Whether neighbouring labels are farther apart in the data than others, by more than one deviation of a class."""
    rows = picked(len(x), 2000)
    features, labels = columns(x[rows]), labels[rows]
    counts = np.bincount(labels)
    if (counts < 2).any():
        return "", False
    centres = np.stack([features[labels == k].mean(axis=0) for k in range(len(counts))])
    inside = float(np.mean([features[labels == k].var(axis=0).mean() for k in range(len(counts))])) ** 0.5
    gaps = np.sqrt(((centres[:, None] - centres[None]) ** 2).mean(axis=2)) / max(inside, 1e-9)
    near = np.array([gaps[k, k + 1] for k in range(len(counts) - 1)])
    far = np.array([gaps[i, j] for i in range(len(counts)) for j in range(i + 2, len(counts))])
    line = f"labels next to each other are {near.max():.1f} deviations apart in the data, others {far.min():.1f}"
    return f"{line}; healthy for numbers: the next ones are the nearest", bool(near.max() > far.min() + 1)


def _classes_apart(case: Case) -> Verdict | None:
    """One class of several, learned by a loss that takes every output as a question of its own."""
    e = case.evidence
    if case.loss not in ("bce", "bce-probabilities") or e.train is None or e.train.y is None or case.copies:
        return None
    t = np.asarray(e.train.y)
    if t.ndim != 2 or t.shape[1] < 3 or len(t) < 20 or not (((t == 0) | (t == 1)).all() and (t.sum(axis=1) == 1).all()):
        return None
    if case.reach is not None and case.reach.distribution:
        return None
    return _verdict(
        case,
        f"Every example has exactly one of {t.shape[1]} classes, and the loss asks for each class by itself.",
        (
            f"all {len(t)} rows of targets hold a single 1; healthy for this loss: any number of them",
            "the outputs need not sum to 1, and nothing makes the classes exclude each other",
        ),
        "cross_entropy, which takes one class of several",
    )


def _blind(case: Case) -> Verdict | None:
    """Examples whose outputs the loss does not look at, as a hinge with targets 0 does."""
    e = case.evidence
    if (
        case.loss
        or not callable(e.loss)
        or case.train is None
        or case.train.kind != "classes"
        or case.train.predicted is None
    ):
        return None
    z, labels = e.prediction, case.train.targets
    if z is None or len(labels) != len(z):
        return None
    before = loss_value(e.loss, e)
    some = min(len(z), 256)
    for k in np.unique(labels[:some]):
        moved = z.copy()
        moved[labels == k] += np.float32(3.0)
        less = z.copy()
        less[labels == k] -= np.float32(3.0)
        values = loss_value(e.loss, e, moved), loss_value(e.loss, e, less)
        whole = z.ndim == 1 or z.shape[-1] == 1
        if whole and before is not None and values == (before, before):
            t = np.unique(np.asarray(e.train.y)[labels == k])  # type: ignore[union-attr]
            return _verdict(
                case,
                f"The loss does not depend on the outputs of the examples with target {t[0]:g}.",
                (
                    f"moved by 3 either way, the outputs of these {int((labels == k).sum())} examples "
                    f"leave the loss at {before:.4g}",
                    "healthy: every example pulls its output one way",
                ),
                "targets −1 and +1 for a hinge loss: 2 * target - 1",
            )
    return None


def _unfair(case: Case) -> Verdict | None:
    """A loss that is not least where outputs equal their targets, as where (n, 1) against (n,) became (n, n)."""
    e = case.evidence
    if case.loss or not callable(e.loss) or case.train is None or e.train is None or e.prediction is None:
        return None
    t = np.asarray(e.train.y)
    if case.train.kind != "values" or t.size != e.prediction.size or same(t, e.prediction):
        return None
    perfect = t.reshape(e.prediction.shape).astype(e.prediction.dtype)
    mean = np.broadcast_to(perfect[:256].mean(axis=0), perfect.shape).astype(perfect.dtype)
    right, constant = loss_value(e.loss, e, perfect), loss_value(e.loss, e, mean)
    if right is None or constant is None or right <= constant:
        return None
    spread = (
        f"outputs {e.prediction.shape} and targets {t.shape}: a difference of the two has {_broadcast(e.prediction, t)}"
    )
    return _verdict(
        case,
        f"The loss is {right:.4g} where every output equals its target, and {constant:.4g} where all are the mean.",
        (spread, "healthy: a loss is least where outputs equal their targets"),
        "targets of the shape of the outputs: y.reshape(z.shape)",
    )


def _broadcast(z: np.ndarray, t: np.ndarray) -> str:
    try:
        return f"shape {np.broadcast_shapes(z.shape, t.shape)}"
    except ValueError:
        return "no shape"
