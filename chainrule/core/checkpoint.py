"""Memory for time: forget what a function computed on the way, and compute it again in the backward pass.

Reverse mode keeps every intermediate result until the backward pass has used it. With n layers in √n segments,
only the √n results between segments are kept, and those inside one segment at a time: memory O(√n) for one more
forward pass. Chen et al. (2016).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import sqrt
from typing import Any

from chainrule.base.errors import OptionError
from chainrule.core import tree
from chainrule.core.batch import vmap
from chainrule.core.closure import Closure, identity_of, is_differentiated
from chainrule.core.forward import jvp
from chainrule.core.primitive import Primitive, apply
from chainrule.core.reverse import vjp
from chainrule.core.spec import spec_of
from chainrule.core.tensor import Tensor
from chainrule.core.vocabulary import words


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, whose intermediate results are computed again when its derivative is taken.

    Values and derivatives are exactly those of f, to any order; random draws (dropout) are the same in both
    runs, and running statistics follow the first one only. f may be a module or use tensors from outside; it
    must do the same when it is called again.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], requires_grad=True)
    >>> y = cr.checkpoint(lambda v: cr.sum(cr.exp(cr.sin(v) * v)))(x)
    >>> print(cr.graph(y).table(sources=False))
    0  leaf        (2,)
    1  checkpoint  ((),)  from 0
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        closure = Closure(lambda: tree.map_leaves(_result, f(*args, **kwargs)))
        result = closure.first()
        used, closure.used = closure.used, []
        if not any(map(is_differentiated, used)):
            return result
        leaves, rebuild = tree.flatten(result)
        places = [i for i, leaf in enumerate(leaves) if _is_smooth(leaf)]
        values = apply(Recomputed(closure, places, leaves), tuple(used), {})
        for i, value in zip(places, values, strict=True):
            leaves[i] = value
        return rebuild(leaves)

    wrapped.__name__ = getattr(f, "__name__", type(f).__name__)
    return wrapped


def checkpoint_sequential(functions: Sequence[Callable[..., Any]], segments: int | None = None) -> Callable[..., Any]:
    """The functions one after another, in `segments` checkpointed runs; √n of them unless said otherwise.

    `functions` are modules or functions of one argument, a `Sequential` too.

    Raises:
        OptionError: there are no functions, or the number of segments is not between 1 and theirs.
    """
    chain = list(functions)
    if not chain:
        raise OptionError("checkpoint_sequential needs at least one function, the list is empty.")
    count = max(1, round(sqrt(len(chain)))) if segments is None else segments
    if not 1 <= count <= len(chain):
        raise OptionError(f"{len(chain)} functions cannot be cut into {count} segments.")
    bounds = cuts(len(chain), count)

    def run(x: Any) -> Any:
        for start, stop in pairwise(bounds):
            x = checkpoint(_one_after_another(chain[start:stop]))(x)
        return x

    return run


def cuts(n: int, segments: int) -> list[int]:
    """Where n things are cut into segments whose sizes differ by one at most: 0, …, n."""
    return [n * k // segments for k in range(segments + 1)]


def _one_after_another(chain: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    def segment(x: Any) -> Any:
        for f in chain:
            x = f(x)
        return x

    return segment


class Recomputed(Primitive):
    """One call of a checkpointed function, as a primitive of the tensors that it used.

    It is applied once, with its results at hand; its derivatives run the function again.
    """

    is_recorded = False

    def __init__(self, closure: Closure, places: Sequence[int], leaves: Sequence[Any]) -> None:
        self.name = self.__name__ = "checkpoint"
        self.latex: tuple[str, ...] = ()
        self._kernels: dict[type, Any] = {}
        self.closure, self.places = closure, places
        self.values = tuple(leaf.value if isinstance(leaf, Tensor) else leaf for leaf in (leaves[i] for i in places))

    def kernel_for(self, kind: type, example: Any) -> Callable[..., Any]:
        """The results at hand, handed over once."""
        return self._taken

    def _taken(self, *used: Any) -> tuple[Any, ...]:
        values, self.values = self.values, ()
        return values

    def again(self, *values: Any) -> tuple[Any, ...]:
        """The results with other values for what was used."""
        leaves = tree.flatten(self.closure.again(values))[0]
        return tuple(leaves[i] for i in self.places)

    def batch(self, size: int, args: Any, flags: Any, params: Any) -> Any:
        axes = tuple(0 if flag else None for flag in flags)
        return checkpoint(vmap(self.again, in_axes=axes))(*args)

    def pull(self, y: Any, y_bar: Any, args: Any, params: Any, needed: Any) -> Any:
        args = tuple(map(self._renamed, args))
        chosen = [i for i, wanted in enumerate(needed) if wanted]
        bars = dict(zip(chosen, vjp(self._of(chosen, args), *(args[i] for i in chosen))[1](y_bar), strict=True))
        return (bars.get(i) for i in range(len(args)))

    def push(self, y: Any, args: Any, dots: Any, params: Any) -> Any:
        moving = [i for i, dot in enumerate(dots) if dot is not None]
        return jvp(self._of(moving, args), tuple(args[i] for i in moving), tuple(dots[i] for i in moving))[1]

    def _renamed(self, a: Any) -> Any:
        """An argument that is not mistaken for what it stands in for: with `create_graph` they are the same."""
        return _result(a) if isinstance(a, Tensor) and identity_of(a) in self.closure.places else a

    def _of(self, places: Sequence[int], args: Any) -> Callable[..., Any]:
        def of_these(*values: Any) -> Any:
            full = list(args)
            for i, value in zip(places, values, strict=True):
                full[i] = value
            return self.again(*full)

        return of_these


def _result(leaf: Any) -> Any:
    """A result by way of one more operation, so that also one that was handed through is seen."""
    return words.reordered(leaf, *range(leaf.ndim)) if isinstance(leaf, Tensor) else leaf


def _is_smooth(leaf: Any) -> bool:
    return (isinstance(leaf, Tensor) or words.is_array(leaf)) and spec_of(leaf).dtype.kind in "fc"
