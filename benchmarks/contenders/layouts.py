"""Weights and batches for libraries that keep `(in, out)` and images as (height, width, channel)."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads import Arrays, Workload

IMAGES = ("cnn", "convblock")


def turned_weights(workload: Workload) -> Arrays:
    """Dense weights as (in, out), kernels as (height, width, in, out); embeddings stay."""
    weights = {name: _turned(name, w) for name, w in workload.weights.items()}
    if workload.kind == "cnn":  # its features come as (height, width, channel), not as (channel, height, width)
        channels, side = workload.sizes["channels"][-1], (workload.sizes["side"] - 4) // 2
        w = weights["fc1.weight"].reshape(channels, side, side, -1).transpose(1, 2, 0, 3)
        weights["fc1.weight"] = w.reshape(-1, w.shape[-1])
    return {name: np.ascontiguousarray(w) for name, w in weights.items()}


def _turned(name: str, w: np.ndarray) -> np.ndarray:
    if w.ndim < 2 or name.startswith(("tokens", "positions")):
        return w
    return w.T if w.ndim == 2 else w.transpose(2, 3, 1, 0)


def turned_batches(workload: Workload) -> list[tuple[np.ndarray, np.ndarray]]:
    """The batches, images as (n, height, width, channel)."""
    batches = workload.batches
    if workload.kind not in IMAGES:
        return batches
    return [(np.ascontiguousarray(x.transpose(0, 2, 3, 1)), y) for x, y in batches]
