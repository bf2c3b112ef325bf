"""vmap: a function of one example, applied to many at once.

Inside, a tensor has the shape of one example; its value carries a batch axis in front. An operation goes through
the batching rule of its primitive, and costs one call of a kernel for all examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from chainrule.backends import looked_at, placed
from chainrule.base.errors import DtypeError, OptionError, ShapeError
from chainrule.core import tree
from chainrule.core.example_keys import ExampleKey, for_each, with_seeds
from chainrule.core.primitive import Primitive
from chainrule.core.reverse import as_given
from chainrule.core.stack import Trace, running, stack
from chainrule.core.tensor import Tensor, boxed, is_foreign, unboxed
from chainrule.core.vocabulary import words


class Batched(Tensor):
    """A tensor with one value an example: what is asked of it is asked of one example."""

    __slots__ = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)[1:]

    @property
    def ndim(self) -> int:
        return len(self.value.shape) - 1

    @property
    def data(self) -> Any:
        raise DtypeError(
            "A number was asked of a tensor that has one value for each example of vmap.",
            shape=f"{self.shape} in each of {self.value.shape[0]} examples",
            fix="cr.where(condition, a, b) in place of if; return the tensor from the function",
        )

    def __repr__(self) -> str:
        return f"Batched({self.value.shape[0]} × {self.shape})"


class BatchTrace(Trace):
    """Carries a batch axis, always the first one, through every operation."""

    lasting = True

    def __init__(self, size: int) -> None:
        self.size = size

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        self.refuse_if_closed()
        flags = [isinstance(a, Tensor) and a.trace is self for a in args]
        lowered = [self.lower(a) for a in args]
        foreign = any(map(is_foreign, lowered))
        y = primitive.batch(self.size, list(map(boxed, lowered)) if foreign else lowered, flags, params)
        y = unboxed(y) if foreign else y
        return tuple(Batched(v, self) for v in y) if type(y) is tuple else Batched(y, self)

    def lower(self, a: Any) -> Any:
        """The operand one level down."""
        return a.value if isinstance(a, Tensor) and (a.trace is self or a.trace is None) else a


def vmap(
    f: Callable[..., Any], in_axes: Any = 0, out_axes: int = 0, randomness: str | Sequence[int] = "same"
) -> Callable[..., Any]:
    """f applied to every example along an axis, in one batched computation.

    `in_axes` says for each argument along which axis its examples lie: a number, None for an argument that is
    the same for all, or a tuple of these, one an argument. Arguments may be trees; all leaves of one share its
    axis. Results have their examples along `out_axes`.

    With `grad` inside it gives per-example gradients; around a tree of weights, several networks at once.

    `randomness` says what random draws inside are, dropout's too. "same": those of one call, for all examples; f
    is one function then, as derivatives want it. "different": example k draws from the stream with the key
    `key / "example" / k` where one call would draw from `key`,

        with cr.random_stream(key):                      for k in range(n):
            y = vmap(f, randomness="different")(x)           with cr.random_stream(key / "example" / k):
                                                                 y[k] = f(x[k])

    so that what it draws does not depend on the examples beside it. A list of seeds, one an example: example k
    draws as if the stream had been started from seed k. A stream that f starts itself is the same for all.

    Raises:
        ShapeError: the arguments differ in the number of examples, or there are more or fewer seeds.
        OptionError: no argument is mapped, in_axes does not fit the call, or there is no such randomness.
        DtypeError: seeds are no integers.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> cr.vmap(lambda w, x: cr.dot(w, x), in_axes=(None, 0))(np.ones(3), np.arange(6.0).reshape(2, 3))
    array([ 3., 12.])
    """

    def wrapped(*args: Any) -> Any:
        axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
        if len(axes) != len(args):
            raise OptionError(f"in_axes names {len(axes)} arguments, the call has {len(args)}.")
        leaves, rebuild, places = _placed(args, axes)
        size = _common_size(leaves, places)
        with running(BatchTrace(size)) as trace, _streams(randomness, trace, size):
            y = f(*rebuild([_mapped(trace, leaf, place) for leaf, place in zip(leaves, places, strict=True)]))
        outputs, rebuild_y = tree.flatten(y)
        given = next(leaf for leaf, place in zip(leaves, places, strict=True) if place is not None)
        return rebuild_y([as_given(given, _gathered(trace, o, size, out_axes)) for o in outputs])

    return wrapped


def _placed(args: Sequence[Any], axes: Sequence[Any]) -> tuple[list[Any], Callable[[list[Any]], Any], list[Any]]:
    """The leaves of all arguments, how to rebuild them, and the axis of each leaf."""
    leaves, rebuild = tree.flatten(tuple(args))
    places: list[Any] = []
    for arg, axis in zip(args, axes, strict=True):
        of_arg = tree.flatten(arg)[0]
        places += tree.leaves_as(arg, axis) if isinstance(axis, (dict, list, tuple)) else [axis] * len(of_arg)
    return leaves, rebuild, places


def _common_size(leaves: Sequence[Any], places: Sequence[Any]) -> int:
    sizes = {words.operand(leaf).shape[place] for leaf, place in zip(leaves, places, strict=True) if place is not None}
    if not sizes:
        raise OptionError("vmap maps over no argument.", fix="in_axes=0 for at least one")
    if len(sizes) > 1:
        raise ShapeError(f"The arguments of vmap have different numbers of examples: {sorted(sizes)}.")
    return sizes.pop()


def _mapped(trace: Trace, leaf: Any, place: int | None) -> Any:
    if place is None:
        return leaf
    value = moved(words.operand(leaf), place, 0)
    value = value.value if isinstance(value, Tensor) and value.trace is None else value
    return Batched(value, trace)


def _gathered(trace: Trace, o: Any, size: int, place: int) -> Any:
    if isinstance(o, Tensor) and o.trace is trace:
        value = o.value
    else:
        o = words.operand(o)
        value = words.broadcast_to(words.expand_dims(o, 0), shape=(size, *o.shape))
    return moved(value, 0, place)


@contextmanager
def _streams(randomness: str | Sequence[int], trace: Trace, size: int) -> Iterator[None]:
    """Inside the block, draws are from the stream of all examples or from one for each; their count goes on."""
    if randomness == "same":
        yield
        return
    before, stack.key = stack.key, _key_of_each(randomness, trace, size)
    try:
        yield
    finally:
        stack.key = before


def _key_of_each(randomness: str | Sequence[int], trace: Trace, size: int) -> ExampleKey:
    if not isinstance(randomness, str):
        return with_seeds(stack.key, Batched(_checked_seeds(randomness, size), trace))
    if randomness == "different":
        return for_each(stack.key, Batched(_whole(np.arange(size)), trace))
    raise OptionError(f"There is no randomness {randomness!r}.", known="same, different, or a list of seeds")


def _checked_seeds(seeds: Sequence[int], size: int) -> Any:
    numbers = np.asarray(seeds)
    if numbers.dtype.kind not in "iu":
        raise DtypeError(f"Seeds are integers, these are {numbers.dtype}.")
    if numbers.shape != (size,):
        raise ShapeError(f"vmap takes one seed for each of {size} examples, got shape {numbers.shape}.")
    return _whole(numbers)


def _whole(numbers: np.ndarray) -> Any:
    """Integers in the default place, where they fit into those it has; else on the host (JAX without int64)."""
    there = placed(numbers)
    seen = looked_at(there)
    return there if seen is not None and np.array_equal(seen, numbers) else numbers


def moved(x: Any, source: int, target: int) -> Any:
    """x with one axis at another place, the others in order."""
    ndim = len(x.shape)
    source, target = source % ndim, target % ndim
    if source == target:
        return x
    order = [a for a in range(ndim) if a != source]
    order.insert(target, source)
    return words.reordered(x, *order)


def host_or_batched(x: Any) -> Any:
    """Numbers as an array on the host; a tensor with one value an example as it is."""
    return x if isinstance(x, Batched) else np.asarray(words.plain(words.operand(x)))


# Parts that batching rules are made of.


@words.define
def in_front(size: int, x: Any, batched: bool) -> Any:
    """An operand with the batch axis in front; one that has none is repeated (a view, not a copy)."""
    if batched:
        return x
    return words.broadcast_to(words.expand_dims(x, 0), shape=(size, *x.shape))


def along_axes(primitive: Primitive) -> None:
    """State the batching rule of an operation along `axis` (a number or a tuple): one further to the right."""

    def rule(size: int, args: Sequence[Any], flags: Sequence[bool], *, axis: Any, **params: Any) -> Any:
        shifted = tuple(map(_further, axis)) if isinstance(axis, tuple) else _further(axis)
        fronted = [in_front(size, a, f) for a, f in zip(args, flags, strict=True)]
        return primitive(*fronted, axis=shifted, **params)

    primitive.batching(rule)


def leading(primitive: Primitive) -> None:
    """State the batching rule of an operation that takes any axes in front: the batch is one more of them."""

    def rule(size: int, args: Sequence[Any], flags: Sequence[bool], **params: Any) -> Any:
        return primitive(*(in_front(size, a, f) for a, f in zip(args, flags, strict=True)), **params)

    primitive.batching(rule)


def _further(axis: int) -> int:
    """An axis behind one more in front; those counted from the end stay."""
    return axis + 1 if axis >= 0 else axis
