"""What a report is about: all that is known of a run, gathered before a line is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.data import Dataset
from chainrule.glass.reporting.predictions import Predictions
from chainrule.glass.verdicts.evidence import Evidence
from chainrule.glass.verdicts.verdict import Verdict
from chainrule.nn import Module


@dataclass(frozen=True)
class Source:
    """A file that the data came from: name, bytes, SHA-256."""

    name: str
    size: int
    checksum: str


@dataclass(eq=False)
class Subject:
    """A run, as far as it is known; what is not is None or empty, and its place in the page says so or is left out.

    `parts` are the data as they are, by name (training, validation, test); `inputs` turns the features of a part into
    what the model takes, `in_units` what the model gives into units of the data. `result` has the scores of the
    run itself, `rows` its history. `verdicts` is None where none could be looked for. `moments` are the bytes that the
    optimiser keeps, `broken` says how the run broke off.
    """

    title: str
    model: Module
    parts: Mapping[str, Dataset]
    rows: Sequence[Mapping[str, Any]] = ()
    inputs: Callable[[np.ndarray], np.ndarray] = np.asarray
    in_units: Callable[[np.ndarray], np.ndarray] = np.asarray
    optimizer: Any = None
    loss: str = ""
    stopped: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    evidence: Evidence | None = None
    verdicts: Sequence[Verdict] | None = None
    origin: str = ""
    target: str = ""
    scaling: str = ""
    pixels: tuple[int, ...] = ()
    sources: Sequence[Source] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    commands: str = ""
    replayed: str = ""
    seconds: float | None = None
    batch_size: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    moments: int = 0
    broken: str = ""

    @property
    def task(self) -> str:
        """Whether classes or values are predicted."""
        return next(iter(self.parts.values())).task

    @property
    def judged(self) -> str:
        """The part that examples and mistakes are taken from: the last, which was trained on least."""
        return list(self.parts)[-1]

    @cached_property
    def predictions(self) -> Predictions:
        """What the model says of that part."""
        return Predictions.of(self.model, self.parts[self.judged], self.inputs, self.in_units)
