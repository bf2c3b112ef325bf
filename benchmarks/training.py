"""Whole trainings on MNIST, as each library's users write them: seconds per epoch, and the test error they buy."""

from __future__ import annotations

import gzip
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders import Contender
from benchmarks.processes import RefusedError
from benchmarks.steps import Lane

WIDTHS, BATCH, LR = (784, 256, 128, 10), 128, 1e-3
FIT, SKLEARN, LOOP, SKORCH = "cr.fit", "scikit-learn", "PyTorch + DataLoader", "skorch"
KERAS_JAX, KERAS_TORCH = "Keras (JAX)", "Keras (torch)"
LIBRARIES = (
    Contender(FIT, "chainrule_fit"),
    Contender(SKLEARN, "sklearn_fit"),
    Contender(LOOP, "torch_loop"),
    Contender(SKORCH, "skorch_fit"),
    Contender(KERAS_JAX, "keras_fit", environment={"KERAS_BACKEND": "jax"}),
    Contender(KERAS_TORCH, "keras_fit", environment={"KERAS_BACKEND": "torch"}),
)
NAMES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
         "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}  # fmt: skip
Arrays = tuple[np.ndarray, np.ndarray]


def run(lane: Lane, directory: str | None) -> dict[str, Any]:
    """By library the seconds per epoch of each run and the test errors; runs are made in turn, each whole."""
    folder = _folder(directory)
    if folder is None:
        return {"skipped": "no MNIST files: name their folder with --data DIR"}
    runs, epochs = (3, 5) if not lane.pace.quick else (1, 2)
    found: dict[str, Any] = {}
    alive = {library.name: lane.process(library) for library in LIBRARIES}
    try:
        for seed in range(runs):
            for library in LIBRARIES:
                entry = found.setdefault(library.name, {"seconds": [], "errors": []})
                if "refused" in entry:
                    continue
                settings = {
                    "module": f"benchmarks.trainings.{library.module}",
                    "folder": str(folder),
                    "epochs": epochs,
                    "seed": seed,
                }
                try:
                    asked = alive[library.name].ask("call", module="training", function="trained", settings=settings)
                except RefusedError as reason:
                    entry["refused"] = str(reason)
                else:
                    entry["seconds"].append(asked["seconds"] / epochs)
                    entry["errors"].append(asked["error"])
    finally:
        for process in alive.values():
            process.close()
    return {"epochs": epochs, "libraries": found}


def trained(module: str, folder: str, epochs: int, seed: int) -> dict[str, Any]:
    """One training in this process: its seconds, all that `train` does, and the share of test images it gets wrong."""
    from importlib import import_module

    train, test = read(Path(folder), "train"), read(Path(folder), "test")
    seconds, predicted = import_module(module).train(train, test[0], epochs, seed)
    return {"seconds": seconds, "error": float(np.mean(np.asarray(predicted) != test[1]))}


def read(folder: Path, part: str) -> Arrays:
    """Images as rows of grey values in 0 … 1, and their digits."""
    images, labels = (_bytes(folder, name) for name in NAMES[part])
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 784)
    return pixels.astype(np.float32) / 255, np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


def _bytes(folder: Path, name: str) -> bytes:
    packed = folder / f"{name}.gz"
    return gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / name).read_bytes()


def _folder(directory: str | None) -> Path | None:
    """The folder with the four files: the one named, or its part `mnist`."""
    for folder in [Path(directory), Path(directory, "mnist")] if directory else []:
        files = [folder / name for part in NAMES.values() for name in part]
        if all(file.exists() or file.with_suffix(".gz").exists() for file in files):
            return folder
    return None


def seconds(entry: dict[str, Any]) -> float | None:
    """Per epoch, the median over runs."""
    return statistics.median(entry["seconds"]) if entry.get("seconds") else None


def error(entry: dict[str, Any]) -> float:
    """The mean over runs."""
    return statistics.fmean(entry["errors"])


def noise(entries: list[dict[str, Any]], images: int = 10_000) -> float:
    """Two standard errors of the difference of two mean test errors, by the number of test images alone."""
    p, runs = statistics.fmean(error(e) for e in entries), min(len(e["errors"]) for e in entries)
    return 2 * (2 * p * (1 - p) / images / runs) ** 0.5
