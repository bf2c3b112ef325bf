"""Convolution, its transpose and its weight gradient: three primitives that are one trilinear form.

    L(x, w, ȳ) = Σ x[n, c, p·stride + k·dilation − padding] · w[o, c, k] · ȳ[n, o, p]

The derivative of L in ȳ is the convolution (cross-correlation, as all libraries have it), in x its transpose,
in w the gradient of the weights: each is bilinear, and the adjoints of each are the other two.

Shapes: x (n, c_in, *size), w (c_out, c_in/groups, *kernel), y (n, c_out, *places). Settings are tuples with an
entry for each spatial axis; padding has a pair, before and after. The kernels here are the definition, as a
contraction with tables of zeros and ones; a backend brings its fast ones.
"""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backends import into
from chainrule.base.errors import ShapeError
from chainrule.core.families import multilinear
from chainrule.core.vocabulary import words
from chainrule.ops.shapes import permute, reshape
from chainrule.ops.windows import contract, over_axes, places


def _grouped(x: Any, groups: int) -> Any:
    """(n, channels, ...) with an axis of groups: (n, groups, channels/groups, ...)."""
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])


def _bank(w: Any, groups: int) -> Any:
    """Weights with an axis of groups: (groups, c_out/groups, c_in/groups, *kernel)."""
    return w.reshape(groups, w.shape[0] // groups, *w.shape[1:])


def _windows(size: Any, kernel: Any, *, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    return over_axes(tuple(size), tuple(kernel), stride, padding, dilation)


@multilinear
def conv_(x: Any, w: Any, *, groups: int, out: Any = None, **settings: Any) -> Any:
    """Cross-correlation: y[n, o, p] = Σ x[n, c, p·stride + k·dilation − padding] w[o, c, k]. 000 (12.4)."""
    windows = _windows(x.shape[2:], w.shape[2:], groups=groups, **settings)
    y = contract("ngcS,gocK->ngoP", _grouped(x, groups), _bank(w, groups), windows=windows)
    return into(out, y.reshape(x.shape[0], w.shape[0], *map(len, windows)))


@multilinear
def conv_transpose_(y: Any, w: Any, *, size: tuple[int, ...], groups: int, out: Any = None, **settings: Any) -> Any:
    """Transposed convolution: x[n, c, p·stride + k·dilation − padding] += y[n, o, p] w[o, c, k], from 0."""
    windows = _windows(size, w.shape[2:], groups=groups, **settings)
    x = contract("ngoP,gocK->ngcS", _grouped(y, groups), _bank(w, groups), windows=windows)
    return into(out, x.reshape(y.shape[0], w.shape[1] * groups, *size))


@multilinear
def conv_weight(x: Any, y: Any, *, kernel: tuple[int, ...], groups: int, out: Any = None, **settings: Any) -> Any:
    """Weight gradient: w[o, c, k] = Σ x[n, c, p·stride + k·dilation − padding] y[n, o, p]."""
    windows = _windows(x.shape[2:], kernel, groups=groups, **settings)
    w = contract("ngcS,ngoP->gocK", _grouped(x, groups), _grouped(y, groups), windows=windows)
    return into(out, w.reshape(y.shape[1], x.shape[1] // groups, *kernel))


conv_.adjoints(
    lambda y_bar, x, w, **settings: conv_transpose_(y_bar, w, size=tuple(x.shape[2:]), **settings),
    lambda y_bar, x, w, **settings: conv_weight(x, y_bar, kernel=tuple(w.shape[2:]), **settings),
)
conv_transpose_.adjoints(
    lambda x_bar, y, w, *, size, **settings: conv_(x_bar, w, **settings),
    lambda x_bar, y, w, *, size, **settings: conv_weight(x_bar, y, kernel=tuple(w.shape[2:]), **settings),
)
conv_weight.adjoints(
    lambda w_bar, x, y, *, kernel, **settings: conv_transpose_(y, w_bar, size=tuple(x.shape[2:]), **settings),
    lambda w_bar, x, y, *, kernel, **settings: conv_(x, w_bar, **settings),
)


# Shapes.


def conv_shape(
    x: tuple[int, ...], w: tuple[int, ...], *, stride: Any, padding: Any, dilation: Any, groups: int
) -> tuple[int, ...]:
    """The shape of a convolution.

    Raises:
        ShapeError: axes, channels or sizes do not fit.
    """
    if len(x) != len(w):
        sizes = ", ".join(["n", str(w[1] * groups), *["size"] * (len(w) - 2)])
        raise ShapeError(f"Convolution with weights {w} takes an input ({sizes}), got {x}.")
    _match_channels(x, w, groups)
    axes = list(zip(x[2:], w[2:], stride, padding, dilation, strict=True))
    if any(places(*axis) < 1 for axis in axes):
        raise _too_large(axes, x)
    return x[0], w[0], *(places(*axis) for axis in axes)


def _match_channels(x: tuple[int, ...], w: tuple[int, ...], groups: int) -> None:
    if x[1] != w[1] * groups:
        of_groups = f" in {groups} groups" if groups > 1 else ""
        raise ShapeError(
            f"Convolution with weights {w}{of_groups} takes {w[1] * groups} channels, got {x[1]}.",
            input=f"{x}   axis 1 = {x[1]}",
        )
    if w[0] % groups:
        raise ShapeError(f"{groups} groups do not divide the {w[0]} output channels of weights {w}.")


def _too_large(axes: list[Any], x: tuple[int, ...]) -> ShapeError:
    kernel, size = tuple(k for _, k, *_ in axes), tuple(s for s, *_ in axes)
    reach = tuple(d * (k - 1) + 1 for _, k, _, _, d in axes)
    padded = tuple(s + sum(p) for s, _, _, p, _ in axes)
    enough = tuple(map(max, padded, reach))
    dilated = {} if reach == kernel else {"kernel": f"reaches over {_by(reach)} with its dilation"}
    return ShapeError(
        f"A kernel of {_by(kernel)} does not fit into an input of {_by(size)}.",
        input=x,
        **dilated,
        fix=f"padding, so that {_by(padded)} becomes {_by(enough)} or more; or a smaller kernel",
    )


def _by(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))


def _transposed_shape(y: Any, w: Any, *, size: tuple[int, ...], groups: int, **settings: Any) -> tuple[int, ...]:
    shape = (y.shape[0], w.shape[1] * groups, *size)
    if conv_shape(shape, w.shape, groups=groups, **settings) != tuple(y.shape):
        raise ShapeError(f"Transposed convolution of {y.shape} with weights {w.shape} does not give the size {size}.")
    return shape


def _weight_shape(x: Any, y: Any, *, kernel: tuple[int, ...], groups: int, **settings: Any) -> tuple[int, ...]:
    shape = (y.shape[1], x.shape[1] // groups, *kernel)
    if conv_shape(x.shape, shape, groups=groups, **settings) != tuple(y.shape):
        raise ShapeError(f"No weights of {kernel} lead from {x.shape} to {y.shape}.")
    return shape


conv_.shape(lambda x, w, **settings: conv_shape(x.shape, w.shape, **settings))
conv_transpose_.shape(_transposed_shape)
conv_weight.shape(_weight_shape)


# Many at once: examples with one weight are more examples, examples with a weight each are more groups.


def _more_channels(x: Any) -> Any:
    """(size, n, channels, ...) as (n, size · channels, ...)."""
    size, n, channels, *rest = x.shape
    return reshape(permute(x, axes=(1, 0, *range(2, len(x.shape)))), n, size * channels, *rest)


def _fewer_channels(x: Any, size: int) -> Any:
    """(n, size · channels, ...) as (size, n, channels, ...)."""
    n, channels, *rest = x.shape
    split = reshape(x, n, size, channels // size, *rest)
    return permute(split, axes=(1, 0, *range(2, len(split.shape))))


def _first_axes(x: Any) -> Any:
    """The first two axes as one."""
    return reshape(x, x.shape[0] * x.shape[1], *x.shape[2:])


def _with_weights(primitive: Any) -> Any:
    def rule(size: int, args: Any, flags: Any, /, *, groups: int, **settings: Any) -> Any:
        if not flags[1]:
            y = primitive(_first_axes(args[0]), args[1], groups=groups, **settings)
            return reshape(y, size, y.shape[0] // size, *y.shape[1:])
        x, w = (words.in_front(size, a, f) for a, f in zip(args, flags, strict=True))
        return _fewer_channels(primitive(_more_channels(x), _first_axes(w), groups=size * groups, **settings), size)

    return rule


def _weights_each(size: int, args: Any, flags: Any, /, *, groups: int, **settings: Any) -> Any:
    x, y = (_more_channels(words.in_front(size, a, f)) for a, f in zip(args, flags, strict=True))
    w = conv_weight(x, y, groups=size * groups, **settings)
    return reshape(w, size, w.shape[0] // size, *w.shape[1:])


conv_.batching(_with_weights(conv_))
conv_transpose_.batching(_with_weights(conv_transpose_))
conv_weight.batching(_weights_each)


conv_.cost(lambda y, x, w, **settings: 2 * y.size * prod(w.shape[1:]))
conv_transpose_.cost(lambda x, y, w, **settings: 2 * y.size * prod(w.shape[1:]))
conv_weight.cost(lambda w, x, y, **settings: 2 * y.size * prod(w.shape[1:]))
conv_.formula(
    r"y_{op} = \sum_{ck} w_{ock}\, x_{c,\,ps + kd}",
    r"\bar x_{ci} = \sum_{ps + kd = i} w_{ock}\, \bar y_{op}",
    r"\bar w_{ock} = \sum_p \bar y_{op}\, x_{c,\,ps + kd}",
)
conv_transpose_.formula(
    r"x_{ci} = \sum_{ps + kd = i} w_{ock}\, y_{op}",
    r"\bar y_{op} = \sum_{ck} w_{ock}\, \bar x_{c,\,ps + kd}",
    r"\bar w_{ock} = \sum_p y_{op}\, \bar x_{c,\,ps + kd}",
)
conv_weight.formula(
    r"w_{ock} = \sum_p y_{op}\, x_{c,\,ps + kd}",
    r"\bar x_{ci} = \sum_{ps + kd = i} \bar w_{ock}\, y_{op}",
    r"\bar y_{op} = \sum_{ck} \bar w_{ock}\, x_{c,\,ps + kd}",
)
