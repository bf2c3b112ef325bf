"""Norms: mean, variance, x̂ and y as steps, and the derivative in its three parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.rules import Rule, Term, tenths
from chainrule.glass.explanation.run import join
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.record import Call
from chainrule.nn import GroupNorm, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, LayerNorm, RMSNorm
from chainrule.nn.batch_norms import BatchNorm

ROOT = r"\sqrt{\sigma^2 + \epsilon}"
INSTANCE = (InstanceNorm1d, InstanceNorm2d, InstanceNorm3d)


@dataclass(frozen=True, eq=False)
class Norm:
    """What a norm computes of its input: statistics over `axes` of x cut into groups, in the shape `cut`.

    μ, σ² and the sums stand beside x with axes of size 1. `fixed` says that μ and σ² are the running ones.
    `scale` and `shift` are γ and β as they stand beside x; None where the layer has none.
    """

    x: np.ndarray
    cut: tuple[int, ...]
    axes: tuple[int, ...]
    mean: np.ndarray
    variance: np.ndarray
    eps: float
    scale: np.ndarray | None
    shift: np.ndarray | None
    fixed: bool = False

    @property
    def count(self) -> int:
        """The number of entries that a mean is taken over."""
        return prod(self.cut[a] for a in self.axes)

    @property
    def root(self) -> np.ndarray:
        """√(σ² + ε)."""
        return np.sqrt(self.variance + self.eps)

    @property
    def x_hat(self) -> np.ndarray:
        """(x − μ)/√(σ² + ε)."""
        return ((self.x.reshape(self.cut) - self.mean) / self.root).reshape(self.x.shape)

    def total(self, array: np.ndarray) -> np.ndarray:
        """The sum over what is normed together."""
        return array.reshape(self.cut).sum(self.axes, keepdims=True)

    def statistic(self, array: np.ndarray) -> np.ndarray:
        """A statistic as it is shown: beside rows of features as a row or column, of images as a vector."""
        if len(self.cut) == 2:
            return array
        kept = tuple(n for i, n in enumerate(array.shape) if i not in tuple(a % len(self.cut) for a in self.axes))
        return array.reshape(kept)


def norm(call: Call, signs: Signs) -> Norm:
    """The numbers of a norm."""
    layer, x = call.module, call.inputs[0].data
    if isinstance(layer, BatchNorm):
        axes = (0, *range(2, x.ndim))
        if not layer.training:
            mean, variance = (_along(b.data, x.ndim) for b in (layer.running_mean, layer.running_var))
            return Norm(x, x.shape, axes, mean, variance, layer.eps, *_affine(call, signs), fixed=True)
        return _taken(call, signs, x.shape, axes, layer.eps)
    if isinstance(layer, LayerNorm | RMSNorm):
        axes = tuple(range(x.ndim - len(layer.normalized_shape), x.ndim))
        eps = float(np.finfo(x.dtype).eps) if layer.eps is None else layer.eps
        return _taken(call, signs, x.shape, axes, eps, centred=isinstance(layer, LayerNorm))
    groups = layer.num_groups if isinstance(layer, GroupNorm) else layer.num_features
    return _taken(call, signs, (len(x), groups, x.size // (len(x) * groups)), (2,), layer.eps)


def _taken(
    call: Call, signs: Signs, cut: tuple[int, ...], axes: tuple[int, ...], eps: float, centred: bool = True
) -> Norm:
    x = call.inputs[0].data
    parts = x.reshape(cut)
    mean = parts.mean(axes, keepdims=True) if centred else np.zeros((1,) * len(cut))
    variance = ((parts - mean) ** 2).mean(axes, keepdims=True)
    return Norm(x, cut, axes, mean, variance, eps, *_affine(call, signs))


def _affine(call: Call, signs: Signs) -> tuple[np.ndarray | None, np.ndarray | None]:
    own = signs.run.own_parameters(call)
    by_channel = not isinstance(call.module, LayerNorm | RMSNorm)
    ndim = call.inputs[0].ndim if by_channel else 1
    scale, shift = ((_along(own[n].data, ndim) if n in own else None) for n in ("weight", "bias"))
    return scale, shift


def _along(statistic: np.ndarray, ndim: int) -> np.ndarray:
    """A number a channel as it stands beside x; two axes for features in rows."""
    return statistic if ndim == 1 else statistic.reshape(1, -1, *[1] * (ndim - 2))


def centred(call: Call) -> bool:
    """Whether the mean is taken off."""
    return not isinstance(call.module, RMSNorm)


# Forwards.


def forward(call: Call, signs: Signs) -> Rule:
    """y = γ ⊙ x̂ + β."""
    n = norm(call, signs)
    note = rf"$\epsilon = {tenths(n.eps)}$"
    if n.scale is None:
        return r"\hat x", None, (note,)
    numbers: tuple[Any, ...] = (_shown(n.scale, n, signs), r"\odot", signs.lay(n.x_hat))
    if n.shift is None:
        return r"\gamma \odot \hat x", numbers, (note,)
    return r"\gamma \odot \hat x + \beta", (*numbers, "+", _shown(n.shift, n, signs)), (note,)


def _shown(affine: np.ndarray, n: Norm, signs: Signs) -> np.ndarray:
    """γ or β beside x: laid like x where that has rows of features, else as the vector or image it is."""
    if n.x.ndim == 2:
        return signs.lay(affine.reshape(1, -1))
    return affine.reshape(affine.size) if affine.ndim == n.x.ndim else affine


def inside(call: Call, signs: Signs) -> Iterator[Inside]:
    """Mean, variance and x̂."""
    n, x = norm(call, signs), signs.sign(call.inputs[0])
    over = _over(call, n)
    if n.fixed:
        yield Inside("mean", r"\mu", r"\text{the running mean}", _laid(n, n.mean, signs), notes=(_evaluation(),))
        yield Inside("var", r"\sigma^2", r"\text{the running variance}", _laid(n, n.variance, signs))
    elif centred(call):
        mean = rf"\tfrac{{1}}{{{n.count}}} \textstyle\sum {x}"
        yield Inside("mean", r"\mu", mean, _laid(n, n.mean, signs), caption=f"mean of {over}")
        yield Inside(
            "var", r"\sigma^2", rf"\tfrac{{1}}{{{n.count}}} \textstyle\sum ({x} - \mu)^2", _laid(n, n.variance, signs),
            caption=f"variance of {over}, divided by their number",
        )  # fmt: skip
    else:
        square = rf"\tfrac{{1}}{{{n.count}}} \textstyle\sum {x}^2"
        square = square if "^" not in x else rf"\tfrac{{1}}{{{n.count}}} \textstyle\sum ({x})^2"
        yield Inside("mean_square", r"\sigma^2", square, _laid(n, n.variance, signs), caption=f"mean square of {over}")
    yield _standardised(call, n, x, signs)
    yield from _running(call, n, signs)


def _standardised(call: Call, n: Norm, x: str, signs: Signs) -> Inside:
    above = rf"({x} - \mu)" if centred(call) else x
    numbers: Any = None
    if len(n.cut) == 2:
        off = ("-", signs.lay(n.mean)) if centred(call) else ()
        numbers = ("(", signs.lay(n.x), *off, r") \odot", signs.lay(1 / n.root))
    return Inside(
        "x_hat", r"\hat x", rf"{above}/{ROOT}", signs.lay(n.x_hat), substituted=numbers,
        caption=rf"standardised; the last factor is $1/{ROOT}$" if numbers else "standardised",
    )  # fmt: skip


def _laid(n: Norm, array: np.ndarray, signs: Signs) -> np.ndarray:
    shown = n.statistic(array)
    return signs.lay(shown) if shown.ndim == 2 and len(n.cut) == 2 else shown


def _evaluation() -> str:
    return "in evaluation they are numbers like weights: no sample changes them"


def _over(call: Call, n: Norm) -> str:
    layer, places = call.module, n.x.ndim > 2
    if isinstance(layer, BatchNorm):
        return "each channel over samples and places" if places else "each feature over the batch"
    if isinstance(layer, GroupNorm):
        return "each sample and group of channels" + (" over all places" if places else "")
    if isinstance(layer, INSTANCE):
        return "each sample and channel over all places"
    axes = len(layer.normalized_shape)
    return "each sample over its features" if axes == 1 else f"each sample over its last {axes} axes"


def _running(call: Call, n: Norm, signs: Signs) -> Iterator[Inside]:
    """What training adds to the running statistics."""
    layer = call.module
    if not isinstance(layer, BatchNorm) or n.fixed:
        return
    before = {name: signs.run.buffers[join(call.path, name)] for name in ("running_mean", "running_var")}
    take = layer.momentum
    if take is None:
        take = 1 / (float(signs.run.buffers[join(call.path, "num_batches_tracked")]) + 1)
    unbiased = 1.0 if layer.biased_running_var else n.count / (n.count - 1)
    why = rf"the variance is taken with {n.count} − 1 below, as an estimate for new samples"
    rows = (("running_mean", r"\mu", n.mean.ravel(), 1.0), ("running_var", r"\sigma^2", n.variance.ravel(), unbiased))
    for name, sign, batch, factor in rows:
        scaled = sign if factor == 1 else rf"\tfrac{{{n.count}}}{{{n.count - 1}}} {sign}"
        running = rf"{sign.replace('^2', '')}_{{\mathrm{{run}}}}" + ("^2" if "^2" in sign else "")
        yield Inside(
            name, running, rf"{_plain(1 - take)}\, {running} + {_plain(take)} \cdot {scaled}",
            (1 - take) * before[name] + take * factor * batch,
            substituted=(np.asarray(1 - take), r"\cdot", before[name], "+", np.asarray(take), r"\cdot", factor * batch),
            caption="kept for evaluation", notes=(why,) if factor != 1 else (),
        )  # fmt: skip


def _plain(number: float) -> str:
    return f"{number:.4g}"


# Backwards.


def inside_back(call: Call, signs: Signs) -> Iterator[Inside]:
    """∂L/∂x̂, and the two sums that standardisation takes off it."""
    n, bar, x = norm(call, signs), signs.run.gradient(call.output), call.inputs[0]
    delta = signs.delta(call.output)
    g = bar if n.scale is None else bar * n.scale
    if n.scale is not None:
        yield Inside(
            "dx_hat", r"g", rf"\partial L/\partial \hat x = \gamma \odot {delta}", signs.lay(g),
            substituted=(_shown(n.scale, n, signs), r"\odot", signs.lay(bar)),
            check=signs.run.check_inside(call, lambda v: _scaled(v, n), n.x_hat, g),
        )  # fmt: skip
    if n.fixed or not signs.run.sends_alone(x):
        return
    sign = "g" if n.scale is not None else delta
    if centred(call):
        yield Inside(
            "sum", "s", rf"\textstyle\sum {sign}", _laid(n, n.total(g), signs), caption="what the mean sends back"
        )
    yield Inside(
        "dot", "t", rf"\textstyle\sum {sign} \odot \hat x", _laid(n, n.total(g * n.x_hat), signs),
        caption="what the variance sends back" if centred(call) else "what the mean square sends back",
    )  # fmt: skip


def _scaled(x_hat: np.ndarray, n: Norm) -> np.ndarray:
    y = x_hat if n.scale is None else x_hat * n.scale
    return y if n.shift is None else y + n.shift


def parameter(call: Call, name: str, signs: Signs) -> tuple[str, Term]:
    """∂L/∂γ = Σ ȳ ⊙ x̂ and ∂L/∂β = Σ ȳ, over all that shares them."""
    n, bar, y = norm(call, signs), signs.slope(call.output), signs.delta(call.output)
    sums = r"\textstyle\sum "
    if name == "weight":
        return r"\gamma", (rf"{sums}{y} \odot \hat x", (sums + "(", bar, r"\odot", signs.lay(n.x_hat), ")"))
    return r"\beta", (f"{sums}{y}", (sums, bar))


def pulled(call: Call, x: Tensor, signs: Signs) -> Term:
    """(m g − Σ g − x̂ Σ g ⊙ x̂)/(m √(σ² + ε)) with g = γ ⊙ ȳ."""
    n, bar = norm(call, signs), signs.run.gradient(call.output)
    sign = "g" if n.scale is not None else signs.delta(call.output)
    g = bar if n.scale is None else bar * n.scale
    rows = len(n.cut) == 2
    if n.fixed:
        return rf"{sign}/{ROOT}", (signs.lay(g), r"\odot", signs.lay(1 / n.root)) if rows else None
    m = n.count
    mean, off = (" - s", ("-", signs.lay(n.total(g)))) if centred(call) else ("", ())
    if not signs.run.sends_alone(x):  # the sums s and t are not shown
        total = rf"\textstyle\sum {sign}"
        mean = f" - {total}" if centred(call) else ""
        return rf"\frac{{1}}{{{m} {ROOT}}} ({m} {sign}{mean} - \hat x \odot {total} \odot \hat x)", None
    rule = rf"\frac{{1}}{{{m} {ROOT}}} \odot ({m}\, {sign}{mean} - \hat x \odot t)"
    if not rows:
        return rule, None
    dot = ("-", signs.lay(n.x_hat), r"\odot", signs.lay(n.total(g * n.x_hat)))
    return rule, (signs.lay(1 / (m * n.root)), r"\odot", "(", np.asarray(m), r"\cdot", signs.lay(g), *off, *dot, ")")
