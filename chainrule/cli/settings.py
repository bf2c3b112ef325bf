"""Settings of a training command: what the run folder keeps, so that a run can be resumed and repeated."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.base.errors import CheckpointError, OptionError
from chainrule.base.files import read_json, write_json


@dataclass(frozen=True)
class Settings:
    """Everything that decides how a run goes; each is an option of `chainrule train` of the same name."""

    task: str
    model: str = "mlp"
    hidden: tuple[int, ...] = (128,)
    activation: str = "relu"
    dropout: tuple[float, ...] = (0.0,)
    batch_norm: bool = False
    init: str | None = None
    loss: str | None = None
    penalty: str | None = None
    lam: float = 0.0
    optimizer: str = "adam"
    lr: float = 1e-3
    momentum: float | None = None
    weight_decay: float = 0.0
    schedule: str = "constant"
    warmup: float = 0.0
    epochs: int = 30
    batch_size: int = 32
    clip_norm: float | None = None
    accumulate: int = 1
    patience: int | None = None
    scale: str = "none"
    data: str | None = None
    target: str | None = None
    split: tuple[float, ...] = (0.7, 0.15, 0.15)
    seed: int = 0
    seeds: int = 1
    checkpoint_every: int | None = None
    recipe: str | None = None

    def save(self, folder: Path) -> None:
        """Write them into the run folder."""
        write_json(folder / "settings.json", dataclasses.asdict(self))

    @staticmethod
    def load(folder: str | os.PathLike[str]) -> Settings:
        """Read them from a run folder.

        Raises:
            CheckpointError: the folder holds no run, or its settings are damaged.
        """
        path = Path(folder) / "settings.json"
        if not path.exists():
            raise CheckpointError(
                f"{os.fspath(folder)} is no run folder: it has no settings.json.",
                **{"try": "chainrule train TASK starts a run and prints its folder"},
            )
        known = {f.name for f in dataclasses.fields(Settings)}
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in read_json(path).items() if k in known}
        return Settings(**values)

    def replaced(self, **changes: Any) -> Settings:
        """The same settings with some changed."""
        return dataclasses.replace(self, **changes)


def numbers(text: str, kind: type = int, option: str = "--hidden") -> tuple[Any, ...]:
    """Numbers from a list such as "256,128".

    Raises:
        OptionError: an entry is no number.
    """
    try:
        return tuple(kind(part) for part in text.split(",") if part.strip())
    except ValueError:
        word = "whole numbers" if kind is int else "numbers"
        raise OptionError(f"{option} takes {word} separated by commas, got {text!r}.") from None
