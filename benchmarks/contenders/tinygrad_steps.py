"""tinygrad as its examples write it: `tinygrad.nn`, `nn.optim`, the step under TinyJit."""

from __future__ import annotations

import shutil
from typing import Any

from tinygrad import Context, Tensor, TinyJit, nn

from benchmarks.contenders import UnsuitedError
from benchmarks.workloads import Workload, flat_after_pooling


class MLP:
    def __init__(self, widths: tuple[int, ...], activation: str = "relu") -> None:
        self.last, self.activation = len(widths) - 1, activation
        for i in range(1, len(widths)):
            setattr(self, f"fc{i}", nn.Linear(widths[i - 1], widths[i]))

    def __call__(self, x: Tensor) -> Tensor:
        for i in range(1, self.last):
            x = getattr(getattr(self, f"fc{i}")(x), self.activation)()
        return getattr(self, f"fc{self.last}")(x)


class CNN:
    def __init__(self, channels: tuple[int, ...], side: int, hidden: int) -> None:
        self.conv1, self.conv2 = nn.Conv2d(channels[0], channels[1], 3), nn.Conv2d(channels[1], channels[2], 3)
        self.fc1, self.fc2 = nn.Linear(flat_after_pooling(channels, side), hidden), nn.Linear(hidden, 10)

    def __call__(self, x: Tensor) -> Tensor:
        x = self.conv2(self.conv1(x).relu()).relu().max_pool2d(2).flatten(1)
        return self.fc2(self.fc1(x).relu())


MODELS = {"mlp": MLP, "cnn": CNN}


class Trainer:
    """One jitted step; the loss is realized with the update."""

    def __init__(self, workload: Workload) -> None:
        if shutil.which("clang") is None:
            raise UnsuitedError("it compiles its kernels with clang, which is not installed")
        if workload.kind not in MODELS:
            raise UnsuitedError("on a CPU its steps on such models take seconds to minutes")
        model = MODELS[workload.kind](**workload.sizes)
        nn.state.load_state_dict(
            model, {n: Tensor(w) for n, w in workload.weights.items()}, strict=False, verbose=False
        )
        make = nn.optim.Adam if workload.optimizer == "adam" else nn.optim.SGD
        optimizer = make(nn.state.get_parameters(model), lr=workload.lr)
        binary = workload.name == "tiny"

        @TinyJit
        def step(x: Tensor, y: Tensor) -> Tensor:
            optimizer.zero_grad()
            z = model(x)
            loss = z.binary_crossentropy_logits(y) if binary else z.sparse_categorical_crossentropy(y)
            loss.backward()
            return loss.realize(*optimizer.schedule_step())

        self.jitted = step
        self.batches = [(Tensor(x).realize(), Tensor(y).realize()) for x, y in workload.batches]

    def step(self, k: int) -> Any:
        with Context(TRAINING=1):
            return self.jitted(*self.batches[k % len(self.batches)])

    def value(self, loss: Any) -> float:
        return loss.item()


start = Trainer
