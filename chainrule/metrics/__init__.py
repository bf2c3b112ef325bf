"""Scores of finished predictions, and the intervals that say how far to trust them."""

from chainrule.metrics.classification import (
    accuracy,
    confusion_matrix,
    error_rate,
    f1,
    precision,
    recall,
)
from chainrule.metrics.intervals import Interval, mean_interval, wilson_interval
from chainrule.metrics.ranking import log_loss, roc_auc
from chainrule.metrics.regression import mae, mse, r2

__all__ = [
    "Interval",
    "accuracy",
    "confusion_matrix",
    "error_rate",
    "f1",
    "log_loss",
    "mae",
    "mean_interval",
    "mse",
    "precision",
    "r2",
    "recall",
    "roc_auc",
    "wilson_interval",
]
