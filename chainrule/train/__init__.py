"""The loop: fit, evaluate, predict; callbacks, checkpoints, progress."""

from chainrule.train.callbacks import Callback, CSVLog, EarlyStopping, LearningRateSchedule
from chainrule.train.checkpoints import Checkpoint
from chainrule.train.evaluate import evaluate, predict, predict_proba
from chainrule.train.fit import fit
from chainrule.train.history import History
from chainrule.train.run import Run

__all__ = [
    "CSVLog",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "History",
    "LearningRateSchedule",
    "Run",
    "evaluate",
    "fit",
    "predict",
    "predict_proba",
]
