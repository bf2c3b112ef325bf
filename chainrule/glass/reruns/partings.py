"""compare: where two runs part."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.base.errors import NumericalError, OptionError
from chainrule.base.files import read_arrays
from chainrule.data import Loader
from chainrule.glass.labels import labels
from chainrule.glass.reruns.gaps import KINDS, Gap, gaps
from chainrule.glass.reruns.moments import Moment
from chainrule.glass.reruns.rerun import Rerun
from chainrule.train import Callback, Run

SHOWN = 4
"""Gaps behind the first, and settings, that the report names."""


class Parting(Mapping[str, Gap]):
    """Where two runs part: the first step with a difference, and its gaps by name in the order of a step.

    `step` is that step, counted from 0, and None where the runs do not part; `first` the first gap; `steps` the
    numbers of steps that were compared; `settings` what is not set alike, by name, with both values. `str()` is the
    report.
    """

    def __init__(
        self, step: int | None, found: list[Gap], moments: tuple[Moment, Moment], steps: tuple[int, int],
        settings: dict[str, tuple[str, str]],
    ) -> None:  # fmt: skip
        self.step, self.moments, self.steps, self.settings = step, moments, steps, settings
        self.gaps = {gap.name: gap for gap in found}

    @property
    def first(self) -> Gap | None:
        """The gap that comes first in the step."""
        return next(iter(self.gaps.values()), None)

    def __getitem__(self, name: str) -> Gap:
        return self.gaps[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.gaps)

    def __len__(self) -> int:
        return len(self.gaps)

    def __repr__(self) -> str:
        return f"<Parting: {self._headline()}>"

    def __str__(self) -> str:
        return "\n".join([self._headline(), *(f"  {name:<7} {place}" for name, place in self._places())])

    def _headline(self) -> str:
        if self.step is None:
            of = "" if self.steps[0] == self.steps[1] else f" of the {('first', 'second')[np.argmin(self.steps)]}"
            return f"The runs are the same for all {min(self.steps)} steps{of}."
        run = self.moments[0].run
        place = f"step {self.step} (epoch {run.epoch + 1}, batch {run.batch + 1})"
        if self.first is None:
            return f"The runs part at {place}: only one of them breaks off."
        return f"The runs part at {place}: {KINDS[self.first.quantity.kind].format(self.first.quantity.own)} differs."

    def _places(self) -> Iterator[tuple[str, str]]:
        first = self.first
        if first is not None:
            if first.quantity.layer:
                yield "layer", labels(first.quantity.layer, *(m.model for m in self.moments))
            yield "apart", str(first)
            if first.quantity.kind == "data":
                yield "rows", " and ".join(rows(m) for m in self.moments)
            else:
                yield "same", SAME[first.quantity.kind]
            behind = list(self.gaps.values())[1:]
            if behind:
                more = f", and {len(behind) - SHOWN} more" if len(behind) > SHOWN else ""
                yield "then", ", ".join(map(in_short, behind[:SHOWN])) + more
        elif len(set(self.steps)) > 1:
            yield "steps", f"{self.steps[0]} and {self.steps[1]}"
        for name, (a, b) in islice(self.settings.items(), SHOWN):
            yield "setting", f"{name}: {a} and {b}"


SAME = {
    "parameter": "the data",
    "buffer": "the data, and all parameters before the step",
    "optimiser": "the data, and the model before the step",
    "output": "the data, the model and the optimiser before the step, and all outputs before this one",
    "loss": "the data, the model, the optimiser, and all outputs",
    "gradient": "the data, the model, the optimiser, all outputs, and the loss",
    "lr": "the data, the model, the optimiser, all outputs, the loss, and all gradients",
    "update": "the data, the model, the optimiser, all outputs, the loss, all gradients, and the learning rate",
    "kept": "all of the step before that, updates too",
}
"""What is known to be the same, where the first difference is of this kind."""


def compare(first: Rerun, second: Rerun) -> Parting:
    """The first step, layer and quantity in which two runs part, and by how much.

    By bisection over the steps at which both have checkpoints, then by repeating both from the last at which they
    were the same; then that one step quantity by quantity, in the order in which they come to be: data, parameters,
    buffers and the optimiser's arrays before the step, the output of each module, the loss, gradients, the learning
    rate, updates. Two numbers are the same if they are equal, or both NaN. Rounding is a difference.

    Outputs and gradients are computed by define-by-run, and updates as the run did. Runs that part, part for good: a
    difference that is gone again at a common checkpoint is not found.

    Raises:
        OptionError: one is no run that can be run again.
        CheckpointError: a checkpoint is damaged, or of another run.
    """
    for run in (first, second):
        if not isinstance(run, Rerun):
            raise OptionError(
                f"A run is the folder of `chainrule train` or a Rerun, got {type(run).__name__}.",
                fix="cr.glass.Rerun(start, checkpoints)",
            )
    begun = first.run_to(0), second.run_to(0)
    unlike = settings_apart(*begun)
    same, parted = bracket(first, second)
    trails = Trail.along(first, same, parted), Trail.along(second, same, parted)
    steps = max(trails[0].states), max(trails[1].states)
    last = min(steps)
    changed = next((s for s in range(same, last + 1) if trails[0].states[s] != trails[1].states[s]), None)
    dealt = data_apart(*begun, last)
    broken = last if steps[0] != steps[1] and trails[int(np.argmin(steps))].broke else None
    found = [s for s in (dealt, broken, None if changed is None else max(changed - 1, 0)) if s is not None]
    if not found:
        return Parting(None, [], (Moment(begun[0]), Moment(begun[1])), steps, unlike)
    moments = Moment(first.run_to(min(found))), Moment(second.run_to(min(found)))
    return Parting(min(found), list(gaps((first, moments[0]), (second, moments[1]))), moments, steps, unlike)


def bracket(first: Rerun, second: Rerun) -> tuple[int, int | None]:
    """The last step with checkpoints in both runs at which they are the same, and the first at which they are not."""
    ours, theirs = first.moments, second.moments
    common = [step for step in ours if step in theirs]
    low, high = 0, len(common)
    while low < high:  # common[:low] are the same, common[high:] are not
        middle = (low + high) // 2
        if of_file(ours[common[middle]]) == of_file(theirs[common[middle]]):
            low = middle + 1
        else:
            high = middle
    return common[low - 1] if low else 0, common[high] if high < len(common) else None


class Trail(Callback):
    """Notes a checksum of model and optimiser at every step, and whether the run broke off."""

    def __init__(self) -> None:
        self.states: dict[int, int] = {}
        self.broke = False

    @staticmethod
    def along(rerun: Rerun, start: int, end: int | None) -> Trail:
        """The trail of a run between two steps."""
        trail, moments = Trail(), rerun.moments
        try:
            rerun.run_from(moments.get(start), end, [trail])
        except NumericalError:
            trail.broke = True
        return trail

    def on_start(self, run: Run) -> None:
        self.on_step(run)

    def on_step(self, run: Run) -> None:
        arrays = run.optimizer.state_dict()["arrays"]
        self.states[run.step] = checksum(run.model.state_dict(), arrays)


def of_file(path: Path) -> int:
    """The checksum of model and optimiser in a checkpoint."""
    arrays, _ = read_arrays(path)
    parts = ({n.removeprefix(p): a for n, a in arrays.items() if n.startswith(p)} for p in PREFIXES)
    return checksum(*parts)


PREFIXES = ("model/", "optimizer/arrays/")
"""Where a checkpoint has the arrays of model and optimiser."""


def checksum(*parts: Mapping[str, np.ndarray]) -> int:
    """CRC-32 of named arrays, −0 and 0 alike."""
    total = 0
    for name, array in sorted((name, array) for part in parts for name, array in part.items()):
        total = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), total)
        total = zlib.crc32(np.ascontiguousarray(array + 0).reshape(-1).view(np.uint8).data, total)
    return total


def data_apart(first: Run, second: Run, steps: int) -> int | None:
    """The first step whose examples are not the same."""
    ours, theirs = first.loader, second.loader
    accumulate = [run.settings["accumulate"] for run in (first, second)]
    if accumulate[0] == accumulate[1] and alike(ours, theirs):
        return None
    pairs = zip(dealt(ours, accumulate[0]), dealt(theirs, accumulate[1]), strict=False)
    for step, (mine, yours) in enumerate(islice(pairs, steps)):
        if not (same(ours.x[mine], theirs.x[yours]) and same(ours.y[mine], theirs.y[yours])):
            return step
    return None


def alike(ours: Loader, theirs: Loader) -> bool:
    """Whether two loaders deal the same examples in the same order."""
    dealing = [(loader.seed, loader.shuffle, loader.batch_size, loader.drop_last) for loader in (ours, theirs)]
    return dealing[0] == dealing[1] and same(ours.x, theirs.x) and same(ours.y, theirs.y)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays are equal entry by entry."""
    return a.shape == b.shape and bool(np.array_equal(a, b))


def dealt(loader: Loader, accumulate: int) -> Iterator[np.ndarray]:
    """The rows of every step, epoch after epoch without end."""
    epoch = 0
    while True:
        batches = loader.rows(epoch)
        while some := list(islice(batches, accumulate)):
            yield np.concatenate(some)
        epoch += 1


def settings_apart(first: Run, second: Run) -> dict[str, tuple[str, str]]:
    """The settings that are not the same, of models the first line, with both values."""
    a, b, found = first.identity, second.identity, {}
    for name in a | b:
        lines = zip_longest(a.get(name, "not set").split("\n"), b.get(name, "not set").split("\n"), fillvalue="nothing")
        unlike = next(((one.strip(), two.strip()) for one, two in lines if one != two), None)
        if unlike:
            found[name] = unlike
    return found


def in_short(gap: Gap) -> str:
    """The name of a gap, and how wide it is, where the shapes are the same."""
    return gap.name if gap.distances is None else f"{gap.name} {gap.largest:.3g}"


def rows(moment: Moment) -> str:
    """The first rows of a step, as they are counted in its data."""
    some: Any = ", ".join(map(str, moment.rows[:SHOWN]))
    return f"{some}{', …' if len(moment.rows) > SHOWN else ''}"
