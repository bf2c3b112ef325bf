r"""One operation, complete in one place: value, shape rule, derivative, formula and cost.

    @elementwise
    def tanh(x, *, out=None):
        return xp(x).tanh(x, out=out)

    tanh.partials(lambda y, x: 1 - y * y)
    tanh.formula(r"y = \tanh x", r"\bar x = (1 - y^2) \odot \bar y")

Both modes of differentiation follow from one stated fact wherever the family allows it (see `families`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chainrule.backends import backend_of
from chainrule.backends.interface import NATIVE, refuse_mixed_devices, together
from chainrule.core.spec import Spec, spec_of
from chainrule.core.stack import stack
from chainrule.core.tensor import Tensor

PRIMITIVES: dict[str, Primitive] = {}
"""Every primitive there is, by name; the law suite runs over this table."""


class Primitive:
    """An operation on arrays. It neither broadcasts nor changes dtype.

    Called on tensors it is differentiable; called on plain arrays it runs its kernel and returns an array.
    The kernel takes the arrays in order, its settings as keywords, and an optional `out=`: an array of the
    result's shape and dtype that it fills and returns. An elementwise kernel may be given an argument as `out`.
    """

    family = "general"
    is_recorded = True
    """Whether a plan runs its kernel; one whose result is at hand when it is applied has none to run."""

    def __init__(self, kernel: Callable[..., Any]) -> None:
        self.kernel = kernel
        self.name = self.__name__ = kernel.__name__.rstrip("_")
        self.__doc__ = kernel.__doc__
        self.__module__ = kernel.__module__
        self.latex: tuple[str, ...] = ()
        self._kernels: dict[type, Callable[..., Any]] = {}
        self._shape: Callable[..., Any] | None = None
        self._dtype: Callable[..., Any] | None = None
        self._batch: Callable[..., Any] | None = None
        self._flops: Callable[..., float] = lambda y, *args, **params: y.size
        self._workspace: Callable[..., int] = lambda y, *args, **params: 0
        if self.name in PRIMITIVES:
            raise ValueError(f"a primitive called {self.name!r} exists already")
        PRIMITIVES[self.name] = self

    def __call__(self, *args: Any, **params: Any) -> Any:
        return apply(self, args, params)

    def __repr__(self) -> str:
        return f"<{self.family} primitive {self.name}>"

    # The facets, stated one by one below the kernel.

    def shape(self, rule: Callable[..., Any]) -> None:
        """State the shape of the result: `rule(*specs, **params) -> tuple` (raises ShapeError)."""
        self._shape = rule

    def dtype(self, rule: Callable[..., Any]) -> None:
        """State the dtype of the result where it is not that of the first argument."""
        self._dtype = rule

    def batching(self, rule: Callable[..., Any]) -> None:
        """State what many calls at once are: `rule(size, args, flags, **params)`.

        Flagged arguments have a batch axis of `size` in front, the others none; so has the result.
        """
        self._batch = rule

    def cost(self, rule: Callable[..., float]) -> None:
        """State the floating-point operations: `rule(y, *specs, **params)`; one an entry by default."""
        self._flops = rule

    def workspace(self, rule: Callable[..., int]) -> None:
        """State the bytes that NumPy's kernel takes on the way and gives back: `rule(y, *specs, **params)`.

        0 by default: kernels that take little need not state it.
        """
        self._workspace = rule

    def formula(self, value: str, *derivatives: str) -> None:
        """State the formula in LaTeX: the value, then the derivative for each argument."""
        self.latex = (value, *derivatives)

    # What follows from the facets.

    def spec(self, *args: Any, **params: Any) -> Any:
        """Shape and dtype of the result, proved without computing it.

        Raises:
            ShapeError: the shapes do not fit this operation.
        """
        specs = [spec_of(a) for a in args]
        shape = self._shape(*specs, **params) if self._shape else specs[0].shape
        dtype = self._dtype(*specs, **params) if self._dtype else specs[0].dtype
        if isinstance(shape, list):
            return tuple(Spec(s, dtype) for s in shape)
        return Spec(tuple(shape), dtype)

    def flops(self, *args: Any, **params: Any) -> float:
        """Floating-point operations of one call."""
        return self._flops(self.spec(*args, **params), *map(spec_of, args), **params)

    def bytes(self, *args: Any, **params: Any) -> int:
        """Bytes read and written by one call."""
        result = self.spec(*args, **params)
        results = result if isinstance(result, tuple) else (result,)
        return sum(s.nbytes for s in (*map(spec_of, args), *results))

    def workspace_bytes(self, *args: Any, **params: Any) -> int:
        """Bytes that one call of NumPy's kernel takes beside its arguments and results, at their peak."""
        return self._workspace(self.spec(*args, **params), *map(spec_of, args), **params)

    @property
    def is_differentiable(self) -> bool:
        """Whether the derivative is anything but zero or undefined."""
        return True

    def pull(self, y: Any, y_bar: Any, args: Any, params: Any, needed: Any) -> Iterator[Any]:
        """Reverse mode: cotangents of the arguments that are `needed` (None for the others)."""
        raise NotImplementedError

    def push(self, y: Any, args: Any, dots: Any, params: Any) -> Any:
        """Forward mode: the tangent of the result from those of the arguments (None means zero)."""
        raise NotImplementedError

    def batch(self, size: int, args: Any, flags: Any, params: Any) -> Any:
        """Many calls at once, by the batching rule."""
        if self._batch is None:
            raise NotImplementedError(f"{self.name} states no batching rule")
        return self._batch(size, args, flags, **params)

    def kernel_for(self, kind: type, example: Any) -> Callable[..., Any]:
        """The kernel for arrays of one type: the backend's own, or the generic one; for specs the shape rule."""
        if kind is Spec:
            return self.spec
        kernel = self._kernels[kind] = backend_of(example).kernel(self)
        return kernel


def apply(primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Apply a primitive: by the highest transformation among the arguments, else by its kernel."""
    trace, level = None, -2
    if stack.watcher is not None:
        args = tuple(map(stack.watcher.operand, args))
    if stack.silent >= 0:
        args = tuple(map(_heard, args))
    for a in args:
        if isinstance(a, Tensor):
            t = a.trace
            if t is not None and t.level > level:
                trace, level = t, t.level
    if trace is None:
        return evaluate(primitive, args, params)
    return trace.process(primitive, args, params)


def _heard(a: Any) -> Any:
    """An operand without the transformations that `no_grad` silences."""
    if not isinstance(a, Tensor):
        return a
    while a.trace is not None and a.trace.level <= stack.silent and not a.trace.lasting:
        a = a.value if isinstance(a.value, Tensor) else Tensor(a.value)
    return a


def evaluate(primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Run the kernel on plain arrays; tensors among the arguments give a constant tensor."""
    boxed = mixed = False
    arrays: list[Any] = []
    kind: type | None = None
    for a in args:
        while isinstance(a, Tensor):
            boxed, a = True, a.value
        if type(a) is not kind:
            mixed, kind = kind is not None, type(a)
        arrays.append(a)
    assert kind is not None
    if mixed:
        arrays, kind = _of_one_kind(arrays)
    kernel = primitive._kernels.get(kind) or primitive.kernel_for(kind, next(a for a in arrays if type(a) is kind))
    try:
        value = kernel(*arrays, **params)
    except (ValueError, IndexError, TypeError, RuntimeError):
        primitive.spec(*arrays, **params)  # raises the error that names the shapes
        refuse_mixed_devices(arrays)
        raise
    if not boxed:
        return value
    return tuple(map(Tensor, value)) if type(value) is tuple else Tensor(value)


def _of_one_kind(arrays: list[Any]) -> tuple[list[Any], type]:
    """Arrays of several types as those of one backend, and the type that says which kernel runs."""
    kinds = {type(a) for a in arrays}
    if Spec in kinds:
        return arrays, Spec
    if kinds <= NATIVE:
        return arrays, type(arrays[-1])
    moved = together(arrays)
    return moved, next(type(a) for a in moved if type(a) not in NATIVE)
