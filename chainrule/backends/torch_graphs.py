"""CUDA graphs: kernels that are launched one after the other, recorded once and started by one call."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch.utils.weak import WeakIdKeyDictionary


def has_graphs(device: str) -> bool:
    """Whether kernels on a device can be recorded as a graph."""
    return device.startswith("cuda")


@cache
def pool() -> Any:
    """Memory in which the kernels of all graphs work, for no two of them run at once, and none keeps anything there."""
    return torch.cuda.graph_pool_handle()


class Captured:
    """A run of kernels on memory that stays.

    The first call runs it as it is, so that libraries load their kernels and choose their algorithms; the second
    records it as a graph; from then on the graph is started. What cannot be recorded is run as it is for good.
    """

    def __init__(self, run: Callable[[], Any], example: torch.Tensor) -> None:
        self.run, self.stream = run, torch.cuda.Stream(example.device)
        self.start = self._first

    def __call__(self) -> None:
        self.start()

    def _first(self) -> None:
        self._aside(self.run)
        self.start = self._second

    def _second(self) -> None:
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.device(self.stream.device), torch.cuda.graph(graph, pool(), stream=self.stream):
                self.run()
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            warnings.warn(f"A plan on the GPU starts its kernels one by one: no graph, {reason}", stacklevel=2)
            self.start = self.run
            pool.cache_clear()  # what failed has left it unusable
        else:
            self.start = graph.replay
        self.start()

    def _aside(self, run: Callable[[], Any]) -> None:
        """On the stream of the graph, after what was asked for before and before what is asked for later."""
        current = torch.cuda.current_stream(self.stream.device)
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            run()
        current.wait_stream(self.stream)


class Looking:
    """A check of arguments by their numbers; of a tensor, for which a GPU makes wait, again only if it has changed."""

    def __init__(self, verify: Callable[[Any], Any]) -> None:
        self.verify = verify
        self.versions: Any = WeakIdKeyDictionary()

    def __call__(self, array: Any) -> None:
        if not isinstance(array, torch.Tensor):
            self.verify(array)
        elif self.versions.get(array) != array._version:
            self.verify(array)
            self.versions[array] = array._version
