"""Settings of a training command: what the run folder keeps, so that a run can be resumed and repeated."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.base.errors import CheckpointError, OptionError
from chainrule.base.files import read_json, write_json

FILE = "settings.json"


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
    lam: tuple[float, ...] = ()
    optimizer: str = "adam"
    lr: float = 1e-3
    momentum: float | None = None
    nesterov: bool = False
    weight_decay: float | None = None
    schedule: str = "constant"
    warmup: float = 0.0
    epochs: int = 30
    batch_size: int = 32
    clip_norm: float | None = None
    accumulate: int = 1
    patience: int | None = None
    scale: str = "none"
    scale_target: bool = True
    data: str | None = None
    target: str | None = None
    kind: str | None = None
    stratify: bool | None = None
    split: tuple[float, ...] = (0.7, 0.15, 0.15)
    seed: int = 0
    seeds: int = 1
    checkpoint_every: int | None = None
    keep_checkpoints: int | None = None
    recipe: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.lam, float | int):
            object.__setattr__(self, "lam", (self.lam,))
        if self.model != "mlp":  # one layer: what is said of hidden ones has no meaning
            object.__setattr__(self, "hidden", ())
            object.__setattr__(self, "dropout", (0.0,))
            object.__setattr__(self, "batch_norm", False)

    @property
    def name(self) -> str:
        """What is trained on, short: digits, or the name of a CSV file without its ending."""
        return Path(self.task).stem

    def save(self, folder: Path) -> None:
        """Write them into the run folder."""
        write_json(folder / FILE, dataclasses.asdict(self))

    @staticmethod
    def load(folder: str | os.PathLike[str]) -> Settings:
        """Read them from a run folder.

        Raises:
            CheckpointError: the folder holds no run, or its settings are damaged.
        """
        path = Path(folder) / FILE
        if not path.exists():
            raise CheckpointError(
                f"{os.fspath(folder)} is no run folder: it has no {FILE}.",
                fix="chainrule train TASK starts a run and prints its folder",
            )
        found = read_json(path)
        if not isinstance(found, dict) or "task" not in found:
            raise CheckpointError(f"{path} does not hold the settings of a run.")
        return Settings.from_json(found)

    @staticmethod
    def from_json(found: dict[str, Any]) -> Settings:
        """Settings from what JSON made of them; entries of other versions are passed over."""
        known = {f.name for f in dataclasses.fields(Settings)}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in found.items()}
        return Settings(**{k: v for k, v in values.items() if k in known})

    def replaced(self, **changes: Any) -> Settings:
        """The same settings with some changed."""
        return dataclasses.replace(self, **changes)


def numbers(text: str, kind: type, option: str) -> tuple[Any, ...]:
    """Numbers from a list such as "256,128".

    >>> numbers("256,128", int, "--hidden")
    (256, 128)

    Raises:
        OptionError: an entry is no number.
    """
    try:
        return tuple(kind(part) for part in text.split(",") if part.strip())
    except ValueError:
        word = "whole numbers" if kind is int else "numbers"
        raise OptionError(f"{option} takes {word} separated by commas, got {text!r}.") from None
