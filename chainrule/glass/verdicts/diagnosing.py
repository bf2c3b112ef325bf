"""diagnosing: all that is trained inside a block is watched, and what is wrong with it said at its end."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chainrule.base.errors import ChainruleError, OptionError
from chainrule.core import Tensor
from chainrule.core.stack import stack
from chainrule.data import Loader
from chainrule.glass.verdicts.compiled import Watch
from chainrule.glass.verdicts.losses_noted import noting
from chainrule.glass.verdicts.replacing import Replacement, replaced
from chainrule.glass.verdicts.report import Report
from chainrule.nn import Module
from chainrule.optim import Optimizer
from chainrule.plan import Plan
from chainrule.train import Run


@contextmanager
def diagnosing(raising: bool = True) -> Iterator[Report]:
    """Watch what is trained inside the block, and say what is wrong with it.

        with cr.diagnosing() as report:
            cr.fit(model, data)
        print(report)

    Runs of `cr.fit`, loops written by hand and steps of `cr.compile` are seen, of this thread. They compute what they
    compute without it, to the last bit. A run of `fit` that is a plan stays one: few of its steps are looked into, and
    when something has happened, a stretch of it is run again. Steps of a loop written by hand take up to twice as
    long.

    Args:
        raising: whether an error of this library that ends the block goes on behind it. It is `report.error` in any
            case; other errors always go on.

    Raises:
        OptionError: the block stands inside another one.

    >>> import chainrule as cr
    >>> model = cr.nn.Sequential(cr.nn.Linear(4, 3), cr.nn.Softmax())
    >>> with cr.diagnosing(raising=False) as report:
    ...     _ = cr.fit(model, cr.data.iris(), cr.losses.nll, epochs=1, progress=False)
    >>> type(report.error).__name__
    'DataError'
    """
    if hasattr(Module.__call__, MARK):
        raise OptionError(
            "cr.diagnosing() is open already: one block sees all that is trained inside it.",
            fix="one block around both",
        )
    watch, report = Watch(), Report()
    try:
        with replaced(replacements(watch)):
            yield report
    except BaseException as error:
        report.error = error
        if raising or not isinstance(error, ChainruleError):
            raise
    finally:
        watch.spectator.finish()
        report.close(watch.spectator)


MARK = "is_of_diagnosing"
"""What the replacement of a method is known by."""


def replacements(watch: Watch) -> list[Replacement]:
    """What stands in place of methods and functions inside the block."""
    thread = threading.get_ident()

    def ours() -> bool:
        return threading.get_ident() == thread and not watch.spectator.closed

    def around(owner: Any, name: str, told: str) -> Replacement:
        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(original)
            def method(self: Any, *args: Any, **kwargs: Any) -> Any:
                if told == "step" and stack.recorder is not None:  # a plan keeps the method that it is told of
                    with replaced([Replacement(owner, name, lambda _: original)]):
                        return original(self, *args, **kwargs)
                if not ours():
                    return original(self, *args, **kwargs)
                seen = watch.plan if told == "plan" else getattr(watch.spectator, told)
                return seen(self, original, args, kwargs)

            setattr(method, MARK, True)
            return method

        return Replacement(owner, name, make)

    def compare(call: Any) -> None:
        if ours():
            watch.spectator.compare(call)

    steppers = [cls for cls in [Optimizer, *_below(Optimizer)] if "step" in vars(cls)]
    return [
        around(Module, "__call__", "call"),
        around(Tensor, "backward", "backward"),
        around(Tensor, "item", "read"),
        around(Run, "__init__", "run"),
        around(Plan, "__call__", "plan"),
        around(Loader, "epoch", "deal"),
        *(around(cls, "step", "step") for cls in steppers),
        *noting(compare),
    ]


def _below(cls: type) -> Iterator[type]:
    for below in cls.__subclasses__():
        yield below
        yield from _below(below)
