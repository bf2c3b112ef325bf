"""skorch: `NeuralNetClassifier.fit` without its inner validation split, which the others do not make."""

from __future__ import annotations

import time
from typing import Any

import torch
from skorch import NeuralNetClassifier
from torch import nn

from benchmarks.training import BATCH, LR
from benchmarks.trainings.torch_loop import network


def train(data: Any, images: Any, epochs: int, seed: int) -> tuple[float, Any]:
    torch.manual_seed(seed)
    model = NeuralNetClassifier(
        network(),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__fused=True,
        lr=LR,
        batch_size=BATCH,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
    )
    began = time.perf_counter()
    model.fit(*data)
    return time.perf_counter() - began, model.predict(images)
