"""How well a training stands: the error of every example, and that of a model that learned nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from chainrule import losses, ops
from chainrule.base.errors import ChainruleError
from chainrule.core import no_grad
from chainrule.glass.verdicts.evidence import Data, Evidence
from chainrule.train.evaluate import outputs
from chainrule.train.objective import compared, one_output

ROWS = 256
"""Examples on which losses are told apart."""

SAME = 1e-4
"""Two losses of one formula agree to this share in float32; two formulas on 256 examples do not."""


@dataclass(frozen=True, eq=False)
class Standing:
    """The errors of a model on data.

    `kind` is "classes", where an error is a wrong label, or "values", where it is the squared distance as a share of
    the variance of the targets. `errors` (n,) are those of the model, `base` the mean error of the best constant.
    """

    kind: str
    errors: np.ndarray
    base: float
    targets: np.ndarray
    predicted: np.ndarray

    @property
    def relative(self) -> float:
        """The mean error as a share of the best constant's: 0 where all is right, 1 where nothing was learned."""
        return float(self.errors.mean()) / self.base if self.base else 0.0

    @cached_property
    def uncertainty(self) -> float:
        """The standard error of `relative`."""
        return float(self.errors.std() / np.sqrt(len(self.errors))) / self.base if self.base else 0.0

    @property
    def told(self) -> str:
        """The error in words: "31.0 % of the labels wrong", "R² = 0.52"."""
        return told(self.kind, float(self.errors.mean()))


def told(kind: str, error: float) -> str:
    """A mean error in words."""
    if kind == "classes":
        return f"{100 * error:.1f} % of the labels wrong"
    return f"R² = {1 - error:.2f}" if error < 100 else f"R² = {1 - error:.2g}"


def standing(evidence: Evidence, data: Data | None, prediction: Any) -> Standing | None:
    """How the predictions stand to the targets; None where they cannot be compared."""
    if data is None or data.y is None or prediction is None or len(data.y) != len(prediction) or not len(prediction):
        return None
    z, t = np.asarray(prediction), np.asarray(data.y)
    if z.dtype.kind != "f" or not np.isfinite(z).all() or t.dtype.kind not in "fiub":
        return None
    labels = labels_of(z, t, same(data.x, t))
    if labels is not None:
        return of_labels(evidence, z.astype(np.float64), *labels)
    return of_values(evidence, z.astype(np.float64), t.astype(np.float64))


def labels_of(z: np.ndarray, t: np.ndarray, copied: bool = False) -> tuple[np.ndarray, int] | None:
    """Targets as labels from 0, and the number of classes; None where they are quantities.

    `copied` says that the inputs are the targets, as an autoencoder's are: rows with a single one are no labels then.
    """
    if not (t == np.round(t)).all():
        return None
    if t.shape == z.shape[:-1] and z.shape[-1] > 1 and t.min() >= 0 and t.max() < z.shape[-1]:
        return t.astype(np.int64).reshape(-1), z.shape[-1]
    one_hot = t.ndim == 2 and t.shape == z.shape and t.shape[1] > 1 and not copied
    if one_hot and ((t == 0) | (t == 1)).all() and (t.sum(axis=1) == 1).all():
        return t.argmax(axis=1), t.shape[1]
    if one_output(z.shape) and t.size == len(z) and set(np.unique(t).tolist()) in ({0, 1}, {-1, 1}):
        return (t.reshape(-1) > 0).astype(np.int64), 2
    return None


def of_labels(evidence: Evidence, z: np.ndarray, labels: np.ndarray, classes: int) -> Standing:
    """Wrong labels, and the share that is wrong where always the most frequent one is said."""
    if z.shape[-1] > 1 and z.ndim > 1:
        predicted = z.reshape(-1, z.shape[-1]).argmax(axis=1)
    else:
        predicted = (z.reshape(-1) > threshold(evidence)).astype(np.int64)
    base = 1 - np.bincount(labels, minlength=classes).max() / len(labels)
    return Standing("classes", (predicted != labels).astype(np.float64), float(base), labels, predicted)


def threshold(evidence: Evidence) -> float:
    """Where one output begins to mean the second of two classes."""
    kind, y = loss_kind(evidence), evidence.train.y if evidence.train else None
    if kind in ("bce", "hinge", "perceptron") or (y is not None and np.asarray(y).min() < 0):
        return 0.0
    if kind:
        return 0.5
    z = evidence.prediction
    return 0.5 if z is not None and z.min() >= 0 and z.max() <= 1 else 0.0


def of_values(evidence: Evidence, z: np.ndarray, t: np.ndarray) -> Standing | None:
    """Squared distances over the variance of the targets, both summed over outputs; 1 is the error of the mean."""
    if z.size != t.size:
        return None
    z, t = z.reshape(len(z), -1), t.reshape(len(t), -1)
    if loss_kind(evidence) == "bce":
        z = np.asarray(ops.sigmoid(z))
    spread = float(t.var(axis=0).sum())
    if not spread:
        return None
    return Standing("values", ((z - t) ** 2).sum(axis=1) / spread, 1.0, t, z)


def same(x: Any, y: Any) -> bool:
    """Whether the targets are the inputs, as an autoencoder's."""
    x, y = np.asarray(x), np.asarray(y)
    return x.size == y.size and np.array_equal(x.reshape(-1), y.reshape(-1))


# Which loss it is.


def loss_kind(evidence: Evidence) -> str:
    """The name in `cr.losses.LOSSES` of the loss, also of one written by hand that gives the same numbers; or ""."""
    return _named(evidence.loss_name) or _recognised(evidence)


def loss_of(evidence: Evidence) -> Any:
    """A function loss(prediction, target) that gives the loss of the training; None where there is none."""
    if callable(evidence.loss):
        return evidence.loss
    kind = loss_kind(evidence)
    return losses.LOSSES[kind] if kind else None


OUTER = ("sigmoid", "softmax", "log_softmax", "tanh", "relu", "log_sigmoid", "softplus", "exp")
"""What a loop may do to the outputs of its model before the loss."""


def outer_of(evidence: Evidence) -> str:
    """The function that stands between the model and its prediction, as a loop may call one itself; "" for none."""
    data, wanted = evidence.train, evidence.prediction
    if data is None or wanted is None or wanted.dtype.kind != "f":
        return ""
    few = 32
    try:
        with np.errstate(all="ignore"):
            z = outputs(evidence.model, data.x[:few])
            if z.shape != wanted[:few].shape or np.allclose(z, wanted[:few], rtol=1e-3, atol=1e-5):
                return ""
            made = {name: np.asarray(getattr(ops, name)(z)) for name in OUTER}
    except (ChainruleError, TypeError, ValueError):
        return ""
    fits = (name for name, value in made.items() if np.allclose(value, wanted[:few], rtol=1e-3, atol=1e-5))
    return next(fits, "")


def _named(name: str) -> str:
    for key, function in losses.LOSSES.items():
        if name and name.replace("_", "-") in (key, function.__name__.replace("_", "-")):
            return key
    return ""


def _recognised(evidence: Evidence) -> str:
    """The loss of the library that gives the same numbers on the model's predictions."""
    if not callable(evidence.loss):
        return ""
    value = loss_value(evidence.loss, evidence)
    for key in ("cross-entropy", "bce", "mse", "mae", "huber", "hinge", "nll", "bce-probabilities", "half-squared"):
        other = loss_value(losses.LOSSES[key], evidence)
        if value is not None and other is not None and abs(value - other) <= SAME * abs(other) + 1e-12:
            return key
    return ""


def loss_value(loss: Any, evidence: Evidence, z: Any = None) -> float | None:
    """The loss of predictions (of the model's, unless others are given) on the first examples; None where it fails."""
    data, z = evidence.train, evidence.prediction if z is None else z
    if data is None or data.y is None or z is None:
        return None
    try:
        with no_grad(), np.errstate(all="ignore"):
            value = float(np.asarray(compared(loss, ops.tensor(z[:ROWS]), data.y[:ROWS])))
    except (ChainruleError, TypeError, ValueError, AttributeError, IndexError):
        return None
    return value if np.isfinite(value) else None
