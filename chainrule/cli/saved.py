"""A trained model in one file, with all that prediction needs: settings, scaler, names."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import chainrule.base.files as files
from chainrule.base.errors import CheckpointError
from chainrule.cli.settings import Settings
from chainrule.data import SCALERS, Dataset
from chainrule.nn import Module


@dataclass
class SavedModel:
    """A model as it was saved: ready to predict."""

    model: Module
    settings: dict[str, Any]
    task: str
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    scaler: Any

    def inputs(self, x: np.ndarray) -> np.ndarray:
        """Raw features on the scale of the training part."""
        return x if self.scaler is None else self.scaler.transform(x)


def save_model(path: Path, model: Module, settings: Settings, data: Dataset, scaler: Any) -> None:
    """Write the model atomically as safetensors: weights under `model.`, the scaler under `scaler.`."""
    arrays = {f"model.{name}": array for name, array in model.state_dict().items()}
    if scaler is not None:
        arrays |= {f"scaler.{name}": array for name, array in scaler.arrays().items()}
    facts = {
        "settings": asdict(settings),
        "task": data.task,
        "inputs": data.n_features,
        "outputs": data.n_classes or (1 if data.y.ndim == 1 else data.y.shape[1]),
        "feature_names": data.feature_names,
        "class_names": data.class_names,
    }
    files.write_arrays(path, arrays, {"chainrule": json.dumps(facts)})


def load_model(folder: Path) -> SavedModel:
    """Read a trained model from a run folder (the first seed's, where there are several).

    Raises:
        CheckpointError: there is no finished model, or the file is damaged.
    """
    from chainrule.cli.training import build_model

    candidates = [folder / "model.safetensors", *sorted(folder.glob("seed-*/model.safetensors"))]
    path = next((p for p in candidates if p.exists()), None)
    if path is None:
        raise CheckpointError(
            f"{folder} holds no finished model.", **{"try": f"chainrule train --resume {folder}, to finish the run"}
        )
    arrays, texts = files.read_arrays(path)
    facts = json.loads(texts["chainrule"])
    model = build_model(facts["settings"], facts["inputs"], facts["outputs"])
    model.load_state_dict(_under("model.", arrays))
    scale = facts["settings"]["scale"]
    scaler = None if scale == "none" else SCALERS[scale].from_arrays(_under("scaler.", arrays))
    names = tuple(facts["feature_names"]), tuple(facts["class_names"])
    return SavedModel(model, facts["settings"], facts["task"], *names, scaler)


def _under(prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
