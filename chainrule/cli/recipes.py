"""Recipes: settings by name, and the defaults of each task. Chosen on a validation part, never on the test part."""

from __future__ import annotations

from typing import Any

TASKS: dict[str, dict[str, Any]] = {
    "digits": {"hidden": (128,), "dropout": (0.3,), "epochs": 60, "batch_size": 32, "lr": 2e-3, "schedule": "cosine"},
    "iris": {"hidden": (16,), "epochs": 100, "batch_size": 16, "lr": 5e-3, "scale": "standardize"},
    "wine": {"hidden": (32,), "epochs": 60, "batch_size": 16, "lr": 2e-3, "scale": "standardize"},
    "breast-cancer": {"hidden": (32,), "epochs": 60, "batch_size": 32, "lr": 2e-3, "scale": "standardize"},
    "diabetes": {
        "hidden": (32,), "epochs": 100, "batch_size": 32, "lr": 2e-3, "scale": "standardize", "lam": 1e-2,
        "penalty": "half-l2", "patience": 15,
    },
    "mnist": {"hidden": (256, 128), "epochs": 20, "batch_size": 128, "lr": 1e-3},
}  # fmt: skip
"""Defaults by task, where they differ from those of `Settings`."""

RECIPES: dict[str, dict[str, Any]] = {
    "lecture-ridge": {
        "hidden": (256, 128), "penalty": "half-l2", "lam": 2e-4, "epochs": 15, "batch_size": 128, "lr": 1e-3,
        "schedule": "cosine",
    },
    "lecture-dropout": {
        "hidden": (256, 128), "dropout": (0.3, 0.3), "epochs": 25, "batch_size": 128, "lr": 2e-3,
        "schedule": "cosine",
    },
    "lecture-logistic": {
        "model": "logistic", "hidden": (), "epochs": 20, "batch_size": 128, "lr": 2e-3, "schedule": "cosine",
    },
    "lecture-lda": {"model": "lda", "hidden": ()},
}  # fmt: skip
"""The MNIST table of the lecture, 002 §5.3: neural network with ridge and with dropout, multinomial logistic
regression, linear discriminant analysis."""
