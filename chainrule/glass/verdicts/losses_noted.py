"""Calls of the losses of this library, noted while they run: which one, of which prediction, for which target."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from chainrule.glass.verdicts.replacing import Replacement, replaced
from chainrule.losses import LOSSES

CHECKS = ("paired", "predicted")
"""What every loss calls first, by the name that it has in the loss's own file."""


@dataclass(frozen=True, eq=False)
class LossCall:
    """A loss with the prediction and the target that it was given, and its settings."""

    function: Callable[..., Any]
    prediction: Any
    target: Any
    settings: dict[str, Any]

    @property
    def name(self) -> str:
        return self.function.__name__

    def again(self, prediction: Any, target: Any) -> Any:
        """The same loss of something else."""
        return self.function(prediction, target, **self.settings)


def noting(note: Callable[[LossCall], None]) -> list[Replacement]:
    """What must stand in place of the losses' own checks for their calls to be noted, under whatever name they are."""
    files = {sys.modules[function.__module__] for function in LOSSES.values()}
    places = [(file, name) for file in files for name in CHECKS if name in vars(file)]
    return [Replacement(file, name, functools.partial(_noting, note)) for file, name in places]


def _noting(note: Callable[[LossCall], None], original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def check(name: str, *args: Any) -> Any:
        frame = sys._getframe(1)
        function, given = BY_NAME.get(frame.f_code.co_name), frame.f_locals
        if function is not None and "target" in given:
            settings = {k: v for k, v in given.items() if k not in ("prediction", "target")}
            note(LossCall(function, given["prediction"], given["target"], settings))
        return original(name, *args)

    return check


BY_NAME = {function.__name__: function for function in LOSSES.values()}


@contextmanager
def noted() -> Iterator[list[LossCall]]:
    """The calls of losses inside the block."""
    calls: list[LossCall] = []
    with replaced(noting(calls.append)):
        yield calls
