"""Run: a training run at one moment, complete: it can be saved, and continued as if never stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import chainrule.base.files as files
from chainrule.base.errors import CheckpointError
from chainrule.data import Dataset, Loader
from chainrule.nn import Module
from chainrule.train.callbacks import Callback
from chainrule.train.history import History

FORMAT = 1
"""Version of the checkpoint's layout."""


class Run:
    """Model, optimiser, data order, history and callbacks of a training run, and how far it is.

    `epoch` counts finished epochs, `batch` the batches done in the one at work, `step` the updates. Random draws of
    step n come from the key (seed, "step", n), the order of epoch k from (seed, "order", k); so with the arrays
    and these three numbers the future of the run is fixed.
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
    ) -> None:
        self.model, self.optimizer, self.loader, self.loss = model, optimizer, loader, loss
        self.epochs, self.validation, self.callbacks, self.seed = epochs, validation, list(callbacks), seed
        self.history = History()
        self.epoch = self.batch = self.step = 0
        self.sums: dict[str, float] = {}
        self.stopped = ""

    def stop(self, reason: str) -> None:
        """End the run after the step or epoch at work."""
        self.stopped = self.stopped or reason

    def tell(self, moment: str) -> None:
        """Call one method of every callback."""
        for callback in self.callbacks:
            getattr(callback, moment)(self)

    # Saving and resuming.

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole run to one safetensors file, atomically.

        Raises:
            CheckpointError: the file could not be written; the one before is kept.
        """
        arrays, numbers = _parted(self._state())
        numbers |= {"format": FORMAT, "versions": _versions()}
        files.write_arrays(path, arrays, {"run": json.dumps(numbers)})

    def load(self, path: str | os.PathLike[str]) -> None:
        """Take the state of a saved run; the model, the optimiser and the data must be the ones it was made with.

        Raises:
            CheckpointError: the file is damaged, or belongs to a run with other settings.
        """
        arrays, texts = files.read_arrays(path)
        if "run" not in texts:
            raise CheckpointError(f"{os.fspath(path)} is no checkpoint of a training run.")
        state = _joined(arrays, json.loads(texts["run"]))
        mine = self._identity()
        for name, value in state["identity"].items():
            if mine[name] != value:
                raise CheckpointError(
                    f"The checkpoint belongs to another run: {name} was {value}, it is {mine[name]} now.",
                    file=os.fspath(path),
                    **{"try": "resume with the settings of the first run, or start a new one"},
                )
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for callback, known in zip(self.callbacks, state["callbacks"], strict=True):
            callback.load_state_dict(known)
        self.epoch, self.batch, self.step = state["epoch"], state["batch"], state["step"]
        self.history, self.sums = History(state["history"]), state["sums"]
        self.stopped = "" if state["stopped"] == "interrupted" else state["stopped"]

    def _identity(self) -> dict[str, Any]:
        """What must be equal for a resumed run to equal an uninterrupted one."""
        return {
            "seed": self.seed,
            "batch size": self.loader.batch_size,
            "number of examples": len(self.loader.x),
            "optimiser": type(self.optimizer).__name__,
            "callbacks": [type(c).__name__ for c in self.callbacks],
        }

    def _state(self) -> dict[str, Any]:
        return {
            "identity": self._identity(),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "callbacks": [c.state_dict() for c in self.callbacks],
            "epoch": self.epoch,
            "batch": self.batch,
            "step": self.step,
            "history": self.history.rows,
            "sums": self.sums,
            "stopped": self.stopped,
        }


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("chainrule", "numpy")}


def _parted(tree: Any) -> tuple[dict[str, np.ndarray], Any]:
    """The arrays of a nested dict or list by path, and the rest as JSON can hold it, with the paths in place."""
    arrays: dict[str, np.ndarray] = {}

    def part(branch: Any, path: str) -> Any:
        if isinstance(branch, np.ndarray):
            arrays[path] = branch
            return {"array": path}
        if isinstance(branch, dict):
            return {key: part(value, f"{path}/{key}" if path else key) for key, value in branch.items()}
        if isinstance(branch, (list, tuple)):
            return [part(value, f"{path}/{i}") for i, value in enumerate(branch)]
        return branch.item() if isinstance(branch, np.generic) else branch

    return arrays, part(tree, "")


def _joined(arrays: dict[str, np.ndarray], tree: Any) -> Any:
    """What `_parted` took apart."""
    if isinstance(tree, dict):
        if set(tree) == {"array"}:
            return arrays[tree["array"]]
        return {key: _joined(arrays, value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_joined(arrays, value) for value in tree]
    return tree
