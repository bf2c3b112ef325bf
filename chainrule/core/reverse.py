"""Reverse mode: cotangents flow from the result to the leaves, each rule applied once.

With v̄ = ∂L/∂v, every node v = f(…, u, …) adds its share to its operands,

    ū ← ū + (∂v/∂u)ᵀ v̄ ,

in reverse topological order (000 (10.3)). The rules run on plain arrays, or, to differentiate them again, on
tensors of a lower transformation.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Any

from chainrule.backends import backend_of, kind_of
from chainrule.backends.interface import NATIVE
from chainrule.base.errors import GradientError, OptionError, ShapeError
from chainrule.core import tree
from chainrule.core.graph import Leaf, Node
from chainrule.core.primitive import Primitive, apply
from chainrule.core.stack import Stack, Trace, running, stack
from chainrule.core.tensor import Tensor, boxed, is_foreign, unboxed
from chainrule.core.vocabulary import words


class ReverseTrace(Trace):
    """Records every operation on its tensors as a node of a graph."""

    def __init__(self, level: int = 0) -> None:
        self.level = level

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        self.refuse_if_closed()
        value = apply(primitive, tuple(map(self.lower, args)), params)
        if not primitive.is_differentiable:
            return value if isinstance(value, Tensor) else Tensor(value)
        if isinstance(value, Tensor) and value.trace is None:
            value = value.value
        node = Node(primitive, args, params, value, self)
        if type(value) is tuple:
            return tuple(Tensor(v, self, node, i) for i, v in enumerate(value))
        return Tensor(value, self, node)

    def lower(self, a: Any) -> Any:
        """The operand one level down: the value of this trace's tensors and of constants."""
        return a.value if isinstance(a, Tensor) and (a.trace is self or a.trace is None) else a

    def leaf(self, value: Any, label: str = "") -> Tensor:
        """A tensor to differentiate with respect to."""
        return Tensor(value, self, Leaf(self, tuple(value.shape), label))


EAGER = ReverseTrace(level=0)
"""The tape of `backward()`, always there."""


def pull_back(
    trace: ReverseTrace,
    roots: Sequence[tuple[Tensor, Any]],
    *,
    targets: Sequence[Tensor] = (),
    record: bool = False,
    free: bool = False,
) -> dict[Any, Any]:
    """Cotangents by node, for the leaves below the roots and for `targets`, given those of the roots.

    `record` runs the rules on this trace's own tensors, so that the result has a history; `free` gives the
    history back on the way.
    """
    wanted = {t.node for t in targets}
    kept: dict[Any, Any] = {}
    arrived = Arrivals()
    for root, bar in roots:
        arrived.add(root, bar)
    recorder = stack.recorder
    while arrived:
        node, bar = arrived.latest()
        if recorder is not None:
            recorder.arrived(node, bar)
        if node.primitive is None or node in wanted:
            kept[node] = bar
        if node.primitive is not None:
            for operand, share in shares(trace, node, bar, record):
                arrived.add(operand, share)
            if free:
                node.free()
    if recorder is not None:
        recorder.arrived(None, None)
    return kept


class Arrivals:
    """Cotangents that have arrived at nodes, summed; the latest node is taken first."""

    def __init__(self) -> None:
        self.bars: dict[Any, Any] = {}
        self.queue: list[tuple[int, Any]] = []

    def __bool__(self) -> bool:
        return bool(self.queue)

    def add(self, operand: Tensor, bar: Any) -> None:
        """Add a share to what has arrived at the node of an operand."""
        node = operand.node
        if type(getattr(node, "value", None)) is tuple:
            bar = tuple(bar if i == operand.index else None for i in range(len(node.value)))
        if node in self.bars:
            self.bars[node] = _sum(self.bars[node], bar)
        else:
            self.bars[node] = bar
            heapq.heappush(self.queue, (-node.serial, node))

    def latest(self) -> tuple[Any, Any]:
        """Take the latest node, whose cotangent is complete because all its uses came after it."""
        node = heapq.heappop(self.queue)[1]
        return node, self.bars.pop(node)


def _sum(a: Any, b: Any) -> Any:
    if type(a) is tuple:
        return tuple(_sum(x, y) for x, y in zip(a, b, strict=True))
    return b if a is None else a if b is None else a + b


def shares(trace: ReverseTrace, node: Node, bar: Any, record: bool) -> list[tuple[Tensor, Any]]:
    """What a node passes on: its operands that have a history, each with its cotangent."""
    args = node.args
    if args is None:
        raise GradientError(
            "The history of this tensor was freed by an earlier backward().",
            node=f"{node.name} at {node.source}",
            fix="backward(retain_graph=True) the first time, or compute the loss again",
        )
    needed = [isinstance(a, Tensor) and a.trace is trace for a in args]
    for a, n in zip(args, needed, strict=True):
        if n and a.node.primitive is None and a.node.written > node.serial:
            raise _overwritten(node, a.node)
    operands = args if record else tuple(map(trace.lower, args))
    y = _boxed(trace, node) if record else node.value
    if type(node.value) is tuple:
        bar = tuple(words.nothing_like(v) if b is None else b for v, b in zip(node.value, bar, strict=True))
    foreign = type(y) not in NATIVE and any(map(is_foreign, (y, bar, *operands)))
    if foreign:
        y, bar, operands = boxed(y), boxed(bar), boxed(operands)
    bars = node.primitive.pull(y, bar, operands, node.params, needed)
    bars = map(unboxed, bars) if foreign else bars
    return [(a, s) for a, n, s in zip(args, needed, bars, strict=True) if n and s is not None]


def _overwritten(node: Node, leaf: Any) -> GradientError:
    return GradientError(
        f"A parameter of shape {leaf.shape} was changed after {node.name} had used it, so its gradient is lost.",
        node=f"{node.name}{f' in {node.path}' if node.path else ''} at {node.source}",
        fix="backward() before optimizer.step() or assign(), or compute the loss again after it",
    )


def _boxed(trace: ReverseTrace, node: Node) -> Any:
    if type(node.value) is tuple:
        return tuple(Tensor(v, trace, node, i) for i, v in enumerate(node.value))
    return Tensor(node.value, trace, node)


# Define by run: leaves, backward(), gradients().


@words.define
def require_grad(x: Tensor) -> Tensor:
    """Make a tensor a leaf of the eager tape."""
    if kind_of(x) not in "fc":
        raise GradientError(
            f"A tensor of {x.dtype} cannot require a gradient: only floating-point numbers can.",
            fix='x.astype("float32").requires_grad_()',
        )
    if x.trace not in (None, EAGER):
        raise GradientError(
            "A tensor inside grad, vjp, jvp or vmap cannot be made a leaf of backward().",
            fix="cr.grad(f)(x) there",
        )
    if x.node is None:
        x.node = Leaf(EAGER, x.shape)
    x.trace = EAGER
    Stack.looks += 1
    return x


@words.define
def freeze(x: Tensor) -> Tensor:
    """Let a leaf be a constant from now on, and forget its gradient.

    Raises:
        GradientError: it is the result of an operation.
    """
    if not x.is_leaf:
        raise GradientError("Only a leaf can be frozen, this tensor was computed.", fix="x.detach()")
    if x.node is not None:
        x.node.grad = None
    x.trace = None
    Stack.looks += 1
    return x


@words.define
def backward(y: Tensor, gradient: Any = None, *, retain_graph: bool = False, create_graph: bool = False) -> None:
    """Fill the gradients of the leaves below y; see `Tensor.backward`."""
    roots = [(y, _root_cotangent(y, gradient, create_graph))]
    keep = retain_graph or create_graph
    for leaf, bar in pull_back(y.trace, roots, record=create_graph, free=not keep).items():
        leaf.accumulate(bar)


def gradients(y: Tensor, xs: Any, y_bar: Any = None, *, create_graph: bool = False) -> Any:
    """∂y/∂x for tensors x that y was made from, intermediate results included.

    `xs` is one tensor or a list, tuple or dict of them; the gradients come in the same structure, each with the
    shape of its x, zero where y does not depend on x. `y_bar` is the cotangent, 1 for a scalar y. The history
    is kept; with `create_graph` the gradients have one of their own.

    Raises:
        GradientError: y or an x has no history.
    """
    targets, rebuild = tree.flatten(xs)
    for i, x in enumerate(targets):
        if not isinstance(x, Tensor) or x.node is None:
            raise GradientError(
                f"Tensor {i} of those asked for has no history, so y cannot depend on it.",
                fix="x.requires_grad_() before y is computed",
            )
    root = (y, _root_cotangent(y, y_bar, create_graph))
    kept = pull_back(y.trace, [root], targets=targets, record=create_graph)
    return rebuild([_boxed_bar(kept.get(x.node), x) for x in targets])


def _boxed_bar(bar: Any, x: Tensor) -> Tensor:
    if type(bar) is tuple:
        bar = bar[x.index]
    if bar is None:
        bar = words.zeros_like(x.data)
    return bar if isinstance(bar, Tensor) else Tensor(bar)


def _root_cotangent(y: Tensor, y_bar: Any, boxed: bool) -> Any:
    if y.node is None:
        raise GradientError(
            "This tensor has no history: no leaf below it requires a gradient.",
            tensor=f"shape {y.shape}",
            fix="cr.tensor(..., requires_grad=True), or leave the no_grad block",
        )
    if y_bar is None:
        if y.size != 1:
            raise GradientError(
                f"backward() starts from a scalar, this tensor has shape {y.shape}.",
                fix="y.sum().backward(), or give the cotangent: y.backward(gradient)",
            )
        y_bar = words.ones_like(y.data)
    bar = _cotangent(y_bar, y)
    return bar if isinstance(bar, Tensor) or not boxed else Tensor(bar)


def _cotangent(y_bar: Any, y: Any) -> Any:
    bar = words.like(y_bar, y)
    if tuple(bar.shape) != tuple(y.shape):
        raise ShapeError(
            f"The cotangent has shape {tuple(bar.shape)}, the tensor {tuple(y.shape)}; they must be equal."
        )
    return bar


# Functional: vjp, grad, value_and_grad.


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value f(x) and the function ȳ ↦ Jᵀȳ (vector-Jacobian product), J = ∂f/∂x at the primals.

    Arguments and result may be trees of tensors. The pull-back may be called many times; it returns one
    cotangent tree an argument. Arrays in give arrays out, tensors in give tensors out. 000 (10.10).

    >>> import numpy as np
    >>> import chainrule as cr
    >>> y, pull = cr.vjp(lambda x: x * x, np.array([1.0, 2.0]))
    >>> pull(np.array([1.0, 10.0]))
    (array([ 2., 40.]),)
    """
    leaves, rebuild = tree.flatten(primals)
    with running(ReverseTrace()) as trace:
        assert isinstance(trace, ReverseTrace)
        inputs = [trace.leaf(variable(leaf)) for leaf in leaves]
        y = f(*rebuild(inputs))
    outputs, rebuild_y = tree.flatten(tree.map_leaves(words.operand, y))

    def pull(y_bar: Any) -> tuple[Any, ...]:
        bars = map(_cotangent, tree.leaves_as(y, y_bar), outputs)
        live = [(o, bar) for o, bar in zip(outputs, bars, strict=True) if _lives(o, trace)]
        kept = pull_back(trace, live)
        shares = [kept.get(i.node) for i in inputs]
        return rebuild([as_given(leaf, _or_zeros(s, i)) for leaf, s, i in zip(leaves, shares, inputs, strict=True)])

    like = leaves[0] if leaves else None
    return rebuild_y([as_given(like, trace.lower(o)) for o in outputs]), pull


def value_and_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Any:
    """A function that returns f's value and its gradient with respect to the arguments `argnums`.

    f returns a scalar L, or (L, aux) with `has_aux`, and then the value is (L, aux) too. Arguments may be trees
    of tensors; the gradient has the structure of the argument. Nests to any order.

    Raises:
        GradientError: f returned something else than a scalar.
        OptionError: there is no such argument.
    """

    def wrapped(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        chosen = (argnums,) if isinstance(argnums, int) else argnums
        if any(not -len(args) <= i < len(args) for i in chosen):
            raise OptionError(f"argnums={argnums} names an argument that the call, with {len(args)}, does not have.")
        aux: list[Any] = []

        def of_chosen(*values: Any) -> Any:
            full = list(args)
            for i, value in zip(chosen, values, strict=True):
                full[i] = value
            result = f(*full, **kwargs)
            if has_aux:
                result, extra = result
                aux.append(extra)
            return _scalar(result)

        y, pull = vjp(of_chosen, *(args[i] for i in chosen))
        bars = pull(words.ones_like(y))
        if has_aux:
            y = (y, tree.map_leaves(_unboxed, aux[0]))
        return y, bars[0] if isinstance(argnums, int) else bars

    return wrapped


def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of a scalar function; see `value_and_grad`.

    >>> import chainrule as cr
    >>> slope = cr.grad(lambda x: cr.sin(x * x))(1.3)  # 2x cos x², 000 (1.18)
    >>> f"{slope:.4f}"
    '-0.3092'
    """
    both = value_and_grad(f, argnums, has_aux)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        value, bars = both(*args, **kwargs)
        return (bars, value[1]) if has_aux else bars

    return wrapped


def variable(x: Any) -> Any:
    """An operand to differentiate with respect to; a Python number is taken as floating-point.

    Raises:
        GradientError: it is made of integers.
    """
    value = words.operand(float(x) if isinstance(x, int) else x)
    if kind_of(value) not in "fc":
        raise GradientError(
            f"There is no derivative with respect to {value.dtype}: only to floating-point numbers.",
            fix='x.astype("float32"), or leave it out of the arguments differentiated (argnums)',
        )
    return value


def as_given(given: Any, result: Any) -> Any:
    """A result in the form of what was given: arrays in, arrays out; tensors and numbers give tensors."""
    if isinstance(result, Tensor):
        return result
    return backend_of(result).asarray(result) if words.is_array(given) else Tensor(result)


def _lives(o: Any, trace: Trace) -> bool:
    return isinstance(o, Tensor) and o.trace is trace


def _or_zeros(bar: Any, x: Tensor) -> Any:
    return words.zeros_like(x.value) if bar is None else bar


def _unboxed(value: Any) -> Any:
    """The value without the finished transformation, but with those below it that still run."""
    while isinstance(value, Tensor) and getattr(value.trace, "closed", False):
        value = value.value
    return value if isinstance(value, Tensor) or not words.is_array(value) else Tensor(value)


def _scalar(result: Any) -> Any:
    number = isinstance(result, (int, float))
    if not number and getattr(result, "size", 0) != 1:
        shape = getattr(result, "shape", type(result).__name__)
        raise GradientError(
            f"The gradient is of a scalar function, this one returned {shape}.",
            fix="return y.sum() or y.mean(), or use cr.vjp",
        )
    return result
