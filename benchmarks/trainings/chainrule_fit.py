"""Chainrule: `cr.fit`, with its progress line drawn live."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import chainrule as cr
from benchmarks.overhead import Terminal
from benchmarks.training import BATCH, LR, WIDTHS


def train(data: Any, images: Any, epochs: int, seed: int) -> tuple[float, Any]:
    cr.seed(seed)
    model = cr.models.MLP(*WIDTHS)
    with contextlib.redirect_stderr(Terminal()):
        began = time.perf_counter()
        cr.fit(model, data, optimizer=cr.optim.Adam(model, lr=LR), epochs=epochs, batch_size=BATCH, seed=seed)
        seconds = time.perf_counter() - began
    return seconds, cr.predict(model, images)
