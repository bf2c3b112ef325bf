"""Run: a training run at one moment, complete: it can be saved, and continued as if never stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from math import nan
from typing import Any

import numpy as np

import chainrule.base.files as files
from chainrule.base.errors import ChainruleError, CheckpointError, NumericalError
from chainrule.data import Dataset, Loader
from chainrule.nn import Module
from chainrule.train.callbacks import Callback
from chainrule.train.history import History
from chainrule.train.identity import difference, identity
from chainrule.train.pieces import joined, parted

FORMAT = 1
"""Version of the checkpoint's layout."""


class Run:
    """Model, optimiser, data order, history and callbacks of a training run, and how far it is.

    `epoch` counts finished epochs, `batch` the batches done in the one at work, `step` the updates. Random
    draws of the run's batch n come from the key (seed, "step", n), the order of epoch k from
    (seed, "order", k); so with the arrays and these three numbers the future of the run is fixed.
    `batch_loss` is the loss of the latest batch, without penalty; NaN before the first.
    `settings` are further things that decide how it goes, by name: a checkpoint refuses a run with others.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Any,
        loader: Loader,
        loss: Callable[..., Any],
        *,
        epochs: int,
        validation: Dataset | None = None,
        callbacks: Sequence[Callback] = (),
        seed: int = 0,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.model, self.optimizer, self.loader, self.loss = model, optimizer, loader, loss
        self.epochs, self.validation, self.callbacks, self.seed = epochs, validation, list(callbacks), seed
        self.settings = {"loss": loss, "learning rate": optimizer.lr} | dict(settings or {})
        self.history = History()
        self.epoch = self.batch = self.step = 0
        self.sums: dict[str, float] = {}
        self.batch_loss = nan
        self.stopped = ""

    def stop(self, reason: str) -> None:
        """End the run after the step or epoch at work."""
        self.stopped = self.stopped or reason

    def tell(self, moment: str) -> None:
        """Call one method of every callback; `on_end` in reverse order, as blocks within each other end."""
        callbacks = reversed(self.callbacks) if moment == "on_end" else self.callbacks
        for callback in callbacks:
            getattr(callback, moment)(self)

    @property
    def is_seen_step_by_step(self) -> bool:
        """Whether a callback must be told of every update."""
        return any([getattr(callback, "sees_each_step", True) for callback in self.callbacks])

    def check_finite(self) -> None:
        """All parameters are numbers: a gradient may be NaN where the loss is not.

        Raises:
            NumericalError: one is not; nothing is saved then.
        """
        for name, p in self.model.named_parameters():
            bad = p.size - int(np.count_nonzero(np.isfinite(p.numpy())))
            if bad:
                raise NumericalError(
                    f"The weights became NaN or infinite at step {self.step - 1}; the loss was finite.",
                    first=f"{name}: {bad} of {p.size} entries",
                    **self.remedy(),
                )

    def remedy(self) -> dict[str, str]:
        """What helps against NaN, as an error's place."""
        return {"try": f"a smaller learning rate than {self.optimizer.lr:g}, or clip_norm=1.0"}

    # Saving and resuming.

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole run to one safetensors file, atomically.

        Raises:
            CheckpointError: the file could not be written; the one before is kept.
            NumericalError: the weights are not finite; the file before is kept.
        """
        self.check_finite()
        arrays, numbers = parted(self._state())
        numbers |= {"format": FORMAT, "versions": _versions()}
        files.write_arrays(path, arrays, {"run": json.dumps(numbers, default=_refused)})

    def load(self, path: str | os.PathLike[str]) -> None:
        """Take the state of a saved run; model, optimiser, data and settings must be those it was made with.

        Raises:
            CheckpointError: the file is damaged, or belongs to a run with other settings.
        """
        state = _read(path)
        other = difference(state["identity"], self.identity)
        if other:
            raise CheckpointError(
                f"The checkpoint belongs to another run: {other}.",
                file=os.fspath(path),
                fix="resume with the settings of the first run, or start a new one",
            )
        try:
            self._take(state)
        except ChainruleError as error:
            raise error.at(file=os.fspath(path)) from None

    @cached_property
    def identity(self) -> dict[str, str]:
        """What must be equal for a resumed run to equal an uninterrupted one, in words by name."""
        return identity(self)

    @property
    def remembering(self) -> list[Callback]:
        """The callbacks that keep something."""
        return [c for c in self.callbacks if type(c).state_dict is not Callback.state_dict]

    def _take(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for callback, known in zip(self.remembering, state["callbacks"], strict=True):
            callback.load_state_dict(known)
        self.epoch, self.batch, self.step = state["epoch"], state["batch"], state["step"]
        self.history, self.sums = History(state["history"]), state["sums"]

    def _state(self) -> dict[str, Any]:
        return {
            "identity": self.identity,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "callbacks": [c.state_dict() for c in self.remembering],
            "epoch": self.epoch,
            "batch": self.batch,
            "step": self.step,
            "history": self.history.rows,
            "sums": self.sums,
        }


def _read(path: str | os.PathLike[str]) -> dict[str, Any]:
    arrays, texts = files.read_arrays(path)
    try:
        tree = json.loads(texts.get("run", ""))
        found = tree["format"]
    except (ValueError, KeyError, TypeError):
        raise files.unread(path, "it is no checkpoint of a training run", "check the path") from None
    if found != FORMAT:
        cause = f"it is a checkpoint of format {found}, this version of chainrule reads format {FORMAT}"
        written = tree.get("versions", {}).get("chainrule", "unknown")
        raise files.unread(path, cause, f"read it with the version it was written with: chainrule {written}")
    return joined(arrays, tree)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("chainrule", "numpy")}


def _refused(value: Any) -> Any:
    raise CheckpointError(
        f"A checkpoint holds numbers, texts, arrays, lists and dicts, not a {type(value).__name__}.",
        cause="the state_dict of a callback or an optimiser",
    )
