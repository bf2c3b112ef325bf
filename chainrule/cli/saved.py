"""A trained model in one file, with all that prediction needs: settings, scaler, names."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import chainrule.base.files as files
from chainrule.base.errors import CheckpointError
from chainrule.cli.building import build_model, n_outputs
from chainrule.cli.folder import MODEL, RESULT
from chainrule.cli.settings import Settings
from chainrule.cli.tasks import Prepared
from chainrule.data import SCALERS, Standardize
from chainrule.models import MLP

FACTS = "chainrule"
"""The metadata entry that tells what the weights are of."""

FINE = 1e-4
"""Of the deviation of a target: steps that no prediction is exact enough to show."""


@dataclass
class SavedModel:
    """A model as it was saved: ready to predict, in the units of the data."""

    model: MLP
    settings: Settings
    task: str
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    scaler: Any
    target_scaler: Standardize | None = None

    def inputs(self, x: np.ndarray) -> np.ndarray:
        """Raw features on the scale of the training part."""
        return x if self.scaler is None else self.scaler.transform(x)

    def in_units(self, values: np.ndarray) -> np.ndarray:
        """Predictions in the units of the data, where the model's own are others."""
        if self.target_scaler is None:
            return values
        wide = values.reshape(len(values), -1).astype(np.float64)
        return self.target_scaler.inverse(wide).reshape(values.shape)


def save_model(path: Path, model: MLP, settings: Settings, data: Prepared) -> None:
    """Write the model atomically as safetensors: weights under `model.`, the scaler under `scaler.`.

    A scaled target is scaled back by the last layer; where float32 has too few digits for that, as for Unix
    seconds, by its scaler, under `target.`, in float64.
    """
    target, weights = data.target_scaler, model.state_dict()
    if target is not None and fits_in_float32(target):
        weights, target = in_own_units(model, target), None
    arrays = {f"model.{name}": array for name, array in weights.items()}
    if target is not None:
        arrays |= {f"target.{name}": array for name, array in target.arrays().items()}
    if data.scaler is not None:
        arrays |= {f"scaler.{name}": array for name, array in data.scaler.arrays().items()}
    train = data.parts.train
    facts = {
        "settings": asdict(settings),
        "task": data.task,
        "inputs": train.n_features,
        "outputs": n_outputs(train),
        "feature_names": train.feature_names,
        "class_names": train.class_names,
    }
    files.write_arrays(path, arrays, {FACTS: json.dumps(facts)})


def fits_in_float32(target: Standardize) -> bool:
    """Whether float32 has fine steps around the mean of a target, measured by its deviation."""
    statistics = target.arrays()
    step = np.spacing(abs(statistics["mean"]).astype(np.float32))
    return bool((step <= FINE * statistics["std"]).all())


def in_own_units(model: MLP, scaler: Standardize) -> dict[str, np.ndarray]:
    """Weights whose output is σ z + μ where the model's is z: the scale goes into the last dense layer.

    W ← diag(σ) W,  b ← σ b + μ
    """
    weights, statistics = model.state_dict(), scaler.arrays()
    last, sigma, mu = f"fc{len(model.sizes) - 1}", statistics["std"], statistics["mean"]
    weight, bias = weights[f"{last}.weight"], weights[f"{last}.bias"]
    weights[f"{last}.weight"] = (sigma[:, None] * weight).astype(weight.dtype)
    weights[f"{last}.bias"] = (sigma * bias + mu).astype(bias.dtype)
    return weights


def load_model(folder: Path, name: str = MODEL) -> SavedModel:
    """Read a trained model from a run folder (the first seed's, where there are several), or another file of one.

    Raises:
        CheckpointError: there is no finished model, or the file is damaged.
    """
    settings = Settings.load(folder)
    candidates = [folder / name, folder / f"seed-{settings.seed}" / name]
    path = next((p for p in candidates if p.exists()), None)
    if path is None:
        headline = f"The run {folder} is not finished: it has no model yet."
        raise CheckpointError(headline, fix=f"chainrule train --resume {folder}")
    try:
        arrays, texts = files.read_arrays(path)
    except CheckpointError as error:
        again = f"chainrule train --resume {folder} makes both again"
        error.places["try"] = f"delete it and {RESULT} beside it: {again}"
        raise
    if FACTS not in texts:
        raise CheckpointError(f"{path} does not say what its weights are of: chainrule train did not write it.")
    return from_facts(json.loads(texts[FACTS]), arrays)


def from_facts(facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> SavedModel:
    """A model from what `save_model` wrote."""
    settings = Settings.from_json(facts["settings"])
    model = build_model(settings, facts["inputs"], facts["outputs"])
    model.load_state_dict(under("model.", arrays))
    model.task = facts["task"]  # type: ignore[attr-defined] - as fit says it
    statistics = under("scaler.", arrays)
    scaler = SCALERS[settings.scale].from_arrays(statistics) if statistics else None
    names = tuple(facts["feature_names"]), tuple(facts["class_names"])
    target = under("target.", arrays)
    target_scaler = Standardize.from_arrays(target) if target else None
    return SavedModel(model, settings, facts["task"], *names, scaler, target_scaler)


def under(prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
