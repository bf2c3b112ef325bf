"""A case: the evidence of a training with what can be concluded from it once, for all rules."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.base.errors import ChainruleError
from chainrule.core import random_stream
from chainrule.glass.verdicts.evidence import Data, Evidence, LayerProbe, Probe
from chainrule.glass.verdicts.probing import MOST, Probing, probing
from chainrule.glass.verdicts.reach import Reach, reach
from chainrule.glass.verdicts.reference import Reference, picked, reference
from chainrule.glass.verdicts.standing import Standing, loss_kind, same, standing, told
from chainrule.glass.verdicts.trials import KEY, Trial, Trials, begun

FEW_STEPS = 20
"""Updates below which nothing is said about learning."""

GAP = 0.15
"""By how much more of the best constant's error than a quick learner leaves on unseen rows the model must leave on the
rows it was trained on, to count as worse."""

SURE = 3.0
"""Standard errors."""

NOTHING = 0.9
"""A share of the best constant's error above which next to nothing was learned."""

HALF = 0.5
"""Without another learner to compare with, more than this share of the best constant's error counts as bad."""


class Case:
    """A training under judgement."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.trials = Trials(evidence)

    @cached_property
    def loss(self) -> str:
        """The name of the loss in `cr.losses.LOSSES`, or ""."""
        return loss_kind(self.evidence)

    @cached_property
    def begin(self) -> Probing | None:
        """The model before its first step, looked into on more examples than a batch has."""
        return self._looked(begun(self.evidence), 0)

    @cached_property
    def end(self) -> Probing | None:
        """The model after its last step, looked into on the same examples."""
        return self._looked(copy.deepcopy(self.evidence.model), len(self.evidence.losses))

    @cached_property
    def shrunk(self) -> float:
        """The size of all weights at the end as a share of that at the start."""
        if self.begin is None or self.end is None:
            return 1.0
        before, after = (sum(float((v**2).sum()) for v in p.values.values()) ** 0.5 for p in (self.begin, self.end))
        return after / before if before else 1.0

    @cached_property
    def last_layer(self) -> str:
        """The path of the layer that gives the outputs."""
        paths = list(self.end.layers) if self.end is not None else []
        modules = dict(self.evidence.model.named_modules())
        return next((path for path in reversed(paths) if path in modules), "")

    @cached_property
    def rows(self) -> Data:
        """Some examples of the training."""
        data = self.evidence.train
        assert data is not None and data.y is not None
        some = picked(len(data.x), MOST)
        return Data(data.x[some], data.y[some])

    def _looked(self, model: Any, step: int) -> Probing | None:
        data = self.evidence.train
        if self.trials.own_loss is None or data is None or data.y is None or self.evidence.prediction is None:
            return None

        def pair(z: Any, y: Any) -> tuple[Any, Any]:
            value = self.trials.loss(z, y)
            return value, value

        model.train()
        try:
            with random_stream(KEY), np.errstate(all="ignore"):
                return probing(model, self.rows.x, self.rows.y, pair, step)
        except (ChainruleError, ValueError, TypeError):
            return None

    @cached_property
    def train(self) -> Standing | None:
        """How the model stands on the data it was trained on."""
        return standing(self.evidence, self.evidence.train, self.evidence.prediction)

    @cached_property
    def held(self) -> Standing | None:
        """How it stands on the validation data."""
        return standing(self.evidence, self.evidence.validation, self.evidence.validation_prediction)

    @cached_property
    def reach(self) -> Reach | None:
        """What the model can put out at all."""
        return reach(self.evidence, self.trials.outer)

    @cached_property
    def copies(self) -> bool:
        """Whether the inputs are to be given back."""
        data = self.evidence.train
        return data is not None and data.y is not None and same(data.x, data.y)

    @cached_property
    def reference(self) -> Reference | None:
        """What a quick learner knows of rows it has not seen; None where there is none to compare with."""
        if self.train is None or self.evidence.train is None or self.copies or not self.train.base:
            return None
        return reference(self.evidence.train.x, self.train)

    # Whether learning went badly.

    @property
    def failed(self) -> bool:
        """Whether numbers became infinite or NaN."""
        return self.evidence.failure is not None or not np.isfinite(self.evidence.losses).all()

    @cached_property
    def possible(self) -> float:
        """The share of the best constant's error that need not be more, as far as is known: the other learner's."""
        return min(self.reference.relative, 1.0) if self.reference is not None else 0.0

    @cached_property
    def bad(self) -> bool:
        """Whether the model does clearly worse on its own training data than could be.

        A quick learner of another kind does better on rows that it has not seen; or, where none can be asked, more than
        half of the best constant's error is left. Without enough steps nothing is bad. Labels are compared twice, as
        they come and with every class counted alike: a training that weighs its classes gives one for the other.
        """
        if self.train is None or len(self.evidence.losses) < FEW_STEPS or not self.train.base:
            return False
        if self.reference is None:
            return self.train.relative > (NOTHING if self.copies or self.stepwise else HALF)
        gap = self.train.relative - self.reference.relative
        worse = gap > max(GAP, SURE * float(np.hypot(self.train.uncertainty, self.reference.uncertainty)))
        return worse and (self.train.kind != "classes" or self._worse_by_class)

    @property
    def _worse_by_class(self) -> bool:
        """Whether the model makes clearly more errors than the other learner where every class counts alike."""
        assert self.train is not None and self.reference is not None
        own, sure = by_class(self.train.errors, self.train.targets)
        other, unsure = by_class(self.reference.errors, self.reference.targets)
        return own - other > max(GAP, SURE * float(np.hypot(sure, unsure)))

    @property
    def stepwise(self) -> bool:
        """Whether every example has several labels, as a sequence has at its steps."""
        return self.train is not None and len(self.train.targets) != len(self.evidence.train.x)  # type: ignore[union-attr]

    def cured(self, trial: Trial | None) -> bool:
        """Whether a trial got half of the way, or more, from where the whole training ended to what is possible.

        A training that ended worse than the best constant counts as if it had ended there.
        """
        if trial is None or trial.after is None or self.train is None:
            return False
        ended = min(self.train.relative, 1.0)
        return trial.relative < ended - HALF * (ended - self.possible)

    @property
    def told_reference(self) -> str:
        """What the other learner does, in words."""
        r = self.reference
        assert r is not None and self.train is not None
        return f"{r.name} on rows they have not seen: {told(self.train.kind, float(r.errors.mean()))}"


def by_class(errors: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """The mean over classes of their share of wrong labels, over that of the best constant; and its standard error."""
    groups = [errors[labels == k] for k in np.unique(labels)]
    base = 1 - 1 / len(groups) if len(groups) > 1 else 1.0
    variance = sum(float(g.var()) / len(g) for g in groups)
    return float(np.mean([g.mean() for g in groups])) / base, variance**0.5 / len(groups) / base


def layers_of(probe: Probe | Probing | None, *kinds: str) -> list[LayerProbe]:
    """The layers of some kinds in a step, from the input to the output."""
    return [layer for layer in probe.layers.values() if layer.kind in kinds] if probe else []


def units(output: np.ndarray, channels_first: bool) -> np.ndarray:
    """An output as (cases, units): a unit is a feature on the last axis, or a channel on axis 1 of images."""
    if output.ndim < 3:
        return output.reshape(len(output), -1)
    axis = 1 if channels_first else output.ndim - 1
    return np.moveaxis(output, axis, -1).reshape(-1, output.shape[axis])


def channels_first(probe: Probe | Probing, path: str) -> bool:
    """Whether the layer stands behind a convolution, or a layer of images, and no layer of features between."""
    known = False
    for name, layer in probe.layers.items():
        if layer.kind.startswith(("Conv", "BatchNorm", "MaxPool", "AvgPool", "GroupNorm", "InstanceNorm")):
            known = True
        elif layer.kind in ("Linear", "LayerNorm", "Embedding", "Flatten", "LSTM", "GRU", "RNN", "MultiheadAttention"):
            known = False
        if name == path:
            return known
    return known
