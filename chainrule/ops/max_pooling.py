"""The largest entry of every window, and the two linear maps that are its derivative.

The derivative is a choice of entries, which depends on x and is constant around it: `max_pool_spread` takes
cotangents from the places to the entries chosen, `max_pool_gather` takes tangents the other way. Each is the
adjoint of the other; x and y are passive in both. Of k tied entries each is chosen by 1/k.
"""

from __future__ import annotations

from math import inf, prod
from typing import Any

from chainrule.backends import into, xp
from chainrule.base.errors import ShapeError
from chainrule.core.families import general, linear
from chainrule.core.vocabulary import words
from chainrule.ops.shapes import reshape
from chainrule.ops.windows import Windows, contract, parts

Axes = tuple[Windows, ...]


def surrounded(x: Any, windows: Axes, value: float) -> Any:
    """x with as much of one number around it as windows reach beyond it."""
    reach = [w.reach for w in windows]
    if not any(map(any, reach)):
        return x
    return xp(x).pad(x, ((0, 0),) * (x.ndim - len(windows)) + tuple(reach), constant_values=value)


def seen(x: Any, windows: Axes, value: float) -> Any:
    """What windows see of x for each place in a window, with one number outside."""
    return parts(surrounded(x, windows, value), [w.beyond for w in windows])


@general
def max_pool_(x: Any, *, windows: Axes, out: Any = None) -> Any:
    """Largest entry of every window, axis by axis; outside of x is −∞."""
    y = surrounded(x, windows, -inf)
    for i, axis in enumerate(windows):
        before, first, z = (slice(None),) * (2 + i), axis.beyond[0], y
        y = z[(*before, first)]
        for pick in axis.beyond[1:]:
            y = xp(x).maximum(y, z[(*before, pick)])
    return into(out, y) if out is not None or len(windows[0].beyond) > 1 else xp(y).array(y)


@linear
def max_pool_spread(y_bar: Any, x: Any, y: Any, *, windows: Axes, out: Any = None) -> Any:
    """Each cotangent to the entries that are the largest of its window, in equal shares."""
    chosen = xp(x).stack([part == y for part in seen(x, windows, -inf)]) * xp(x).ones_like(y_bar)
    share = chosen * (y_bar / xp(x).maximum(chosen.sum(0), 1))
    share = share.reshape(*(w.index.shape[1] for w in windows), *y.shape)
    return into(out, contract("KncP->ncS", share, windows=windows))


@linear
def max_pool_gather(x_dot: Any, x: Any, y: Any, *, windows: Axes, out: Any = None) -> Any:
    """The mean tangent of the entries that are the largest of each window."""
    total = count = None
    for part, dot in zip(seen(x, windows, -inf), seen(x_dot, windows, 0.0), strict=True):
        chosen = (part == y) * xp(x).ones_like(dot)
        total = chosen * dot if total is None else total + chosen * dot
        count = chosen if count is None else count + chosen
    return xp(x).divide(total, xp(x).maximum(count, 1), out=out)


def _pooled(x: Any, *, windows: Axes) -> tuple[int, ...]:
    if x.ndim != len(windows) + 2 or any(n != w.size for n, w in zip(x.shape[2:], windows, strict=True)):
        raise ShapeError(f"Windows over {tuple(w.size for w in windows)} do not fit {x.shape}.")
    return (*x.shape[:2], *map(len, windows))


def _places(windows: Axes) -> int:
    return prod(w.index.shape[1] for w in windows)


def _axis_by_axis(y: Any, x: Any, *, windows: Axes) -> int:
    """What is made along an axis stays for the next one; of more than two places, two largest at once."""
    held = most = 0
    for i, axis in enumerate(windows):
        made = y.nbytes * prod(x.shape[3 + i :]) // prod(y.shape[3 + i :] or (1,))
        most = max(most, held + made * min(2, axis.index.shape[1] - 1))
        held = made
    return most


def _merged(primitive: Any) -> Any:
    """Examples of examples are more examples."""

    def rule(size: int, args: Any, flags: Any, /, **settings: Any) -> Any:
        fronted = [words.in_front(size, a, f) for a, f in zip(args, flags, strict=True)]
        y = primitive(*(reshape(a, size * a.shape[1], *a.shape[2:]) for a in fronted), **settings)
        return reshape(y, size, y.shape[0] // size, *y.shape[1:])

    return rule


max_pool_.jvp(lambda dots, y, x, *, windows: max_pool_gather(dots[0], x, y, windows=windows))
max_pool_.vjps(lambda y_bar, y, x, *, windows: max_pool_spread(y_bar, x, y, windows=windows))
max_pool_.shape(_pooled)
max_pool_.batching(_merged(max_pool_))
max_pool_.cost(lambda y, x, *, windows: sum(w.index.shape[1] for w in windows) * y.size)
max_pool_.workspace(_axis_by_axis)
max_pool_.formula(
    r"y_p = \max_{i \in W_p} x_i", r"\bar x_i = \sum_{p \ni i} [x_i = y_p]\,\bar y_p / \#\{j \in W_p : x_j = y_p\}"
)
max_pool_spread.adjoint(lambda x_bar, y_bar, x, y, *, windows: max_pool_gather(x_bar, x, y, windows=windows), 1)
max_pool_spread.shape(lambda y_bar, x, y, *, windows: x.shape)
max_pool_spread.batching(_merged(max_pool_spread))
max_pool_spread.cost(lambda x_bar, y_bar, x, y, *, windows: 3 * y.size * max(w.index.shape[1] for w in windows))
max_pool_spread.workspace(lambda x_bar, y_bar, x, y, *, windows: x.nbytes + 3 * y.nbytes + y.size * _places(windows))
max_pool_spread.formula(r"x_i = \sum_{p \ni i} c_{ip}\, y_p", r"\bar y_p = \sum_i c_{ip}\, \bar x_i")
max_pool_gather.adjoint(lambda y_bar, x_dot, x, y, *, windows: max_pool_spread(y_bar, x, y, windows=windows), 1)
max_pool_gather.shape(lambda x_dot, x, y, *, windows: y.shape)
max_pool_gather.batching(_merged(max_pool_gather))
max_pool_gather.cost(lambda y_dot, x_dot, x, y, *, windows: 3 * y.size * max(w.index.shape[1] for w in windows))
max_pool_gather.formula(r"y_p = \sum_i c_{ip}\, x_i", r"\bar x_i = \sum_p c_{ip}\, \bar y_p")
