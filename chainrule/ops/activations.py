"""Activation functions, entry by entry. Kinks: the derivative at 0 is the one from the left (ReLU'(0) = 0)."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from chainrule.backends import into, xp
from chainrule.core.families import elementwise
from chainrule.core.vocabulary import words
from chainrule.ops.elementary import erf, exp, tanh

SELU_ALPHA = 1.6732632423543772
"""Klambauer et al. (2017): with SELU_SCALE the fixed point of mean 0 and variance 1."""
SELU_SCALE = 1.0507009873554805


@words.define
def identity(x: Any) -> Any:
    """y = x."""
    return x


@elementwise
def sigmoid(x: Any, *, out: Any = None) -> Any:
    """Logistic sigmoid σ(x) = 1 / (1 + e⁻ˣ); σ' = σ(1 − σ) ≤ 1/4. 000 (3.14).

    Computed from e^(−|x|), so that neither tail overflows nor loses its digits.
    """
    np = xp(x)
    e = np.exp(-np.abs(x))
    return np.divide(np.where(x >= 0, 1, e), 1 + e, out=out)


sigmoid.partials(lambda y, x: y * (1 - y))
sigmoid.formula(r"y = \sigma(x) = \frac{1}{1 + e^{-x}}", r"\bar x = y (1 - y) \odot \bar y")


@elementwise
def relu(x: Any, *, out: Any = None) -> Any:
    """Rectified linear unit max(0, x); the derivative at 0 is 0. 000 (3.17)."""
    return xp(x).maximum(x, 0, out=out)


relu.partials(lambda y, x: y > 0)
relu.formula(r"y = \max(0, x)", r"\bar x = [x > 0] \odot \bar y")


@elementwise
def leaky_relu(x: Any, *, slope: float = 0.01, out: Any = None) -> Any:
    """x where x > 0, else `slope` · x. Maas et al. (2013); 004 (64)."""
    return into(out, xp(x).where(x > 0, x, x * slope))


leaky_relu.partials(lambda y, x, *, slope=0.01: words.where(x > 0, 1.0, slope, like=x))
leaky_relu.formula(r"y = x\,[x > 0] + \alpha x\,[x \le 0]", r"\bar x = ([x > 0] + \alpha [x \le 0]) \odot \bar y")


@elementwise
def prelu(x: Any, a: Any, *, out: Any = None) -> Any:
    """x where x > 0, else a · x, with a learned. He et al. (2015); 004 (65)."""
    return into(out, xp(x).where(x > 0, x, a * x))


prelu.partials(lambda y, x, a: words.where(x > 0, 1.0, a), lambda y, x, a: words.where(x > 0, 0.0, x))
prelu.formula(
    r"y = x\,[x > 0] + a x\,[x \le 0]",
    r"\bar x = ([x > 0] + a [x \le 0]) \odot \bar y",
    r"\bar a = x [x \le 0] \odot \bar y",
)


def _left(x: Any) -> Any:
    """x where it is at most 0, else 0: what the exponential branch sees, derivatives at the kink included."""
    return words.where(x > 0, 0.0, x)


@elementwise
def elu(x: Any, *, alpha: float = 1.0, out: Any = None) -> Any:
    """x where x > 0, else α(eˣ − 1); smooth at 0 only for α = 1. Clevert et al. (2016); 004 (66)."""
    np = xp(x)
    return into(out, np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))))


elu.partials(lambda y, x, *, alpha=1.0: words.where(x > 0, 1.0, alpha * exp(_left(x))))
elu.formula(r"y = x\,[x > 0] + \alpha(e^x - 1)\,[x \le 0]", r"\bar x = ([x > 0] + \alpha e^x [x \le 0]) \odot \bar y")


@elementwise
def selu(x: Any, *, out: Any = None) -> Any:
    """λ · ELU(x; α) with λ ≈ 1.0507, α ≈ 1.6733: keeps mean 0 and variance 1. Klambauer et al. (2017); 004 (67)."""
    np = xp(x)
    return np.multiply(SELU_SCALE, np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0))), out=out)


selu.partials(lambda y, x: SELU_SCALE * words.where(x > 0, 1.0, SELU_ALPHA * exp(_left(x))))
selu.formula(
    r"y = \lambda (x\,[x > 0] + \alpha(e^x - 1)\,[x \le 0])",
    r"\bar x = \lambda ([x > 0] + \alpha e^x [x \le 0]) \odot \bar y",
)


@elementwise
def gelu(x: Any, *, out: Any = None) -> Any:
    """x Φ(x), Φ the standard normal distribution function, by erf. Hendrycks & Gimpel (2016)."""
    return xp(x).multiply(x * 0.5, 1 + erf(x * sqrt(0.5)), out=out)


@elementwise
def gelu_slope(x: Any, *, out: Any = None) -> Any:
    """The derivative of x Φ(x): Φ(x) + x φ(x), φ the standard normal density; itself 2φ(x) − x²φ(x)."""
    return xp(x).add(0.5 * (1 + erf(x * sqrt(0.5))), x * _normal_density(x), out=out)


def _normal_density(x: Any) -> Any:
    return exp(-0.5 * x * x) * (1 / sqrt(2 * pi))


gelu_slope.partials(lambda y, x: (2 - x * x) * _normal_density(x))
gelu_slope.formula(r"y = \Phi(x) + x\,\varphi(x)", r"\bar x = (2 - x^2)\,\varphi(x) \odot \bar y")
gelu.partials(lambda y, x: gelu_slope(x))
gelu.formula(r"y = x\,\Phi(x)", r"\bar x = (\Phi(x) + x\,\varphi(x)) \odot \bar y")

GELU_CUBIC = 0.044715
"""Hendrycks & Gimpel (2016), §2: the cubic term of the tanh approximation."""


@elementwise
def gelu_tanh(x: Any, *, out: Any = None) -> Any:
    """x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))), the approximation of GELU in GPT-2."""
    np = xp(x)
    return np.multiply(0.5 * x, 1 + np.tanh(sqrt(2 / pi) * (x + GELU_CUBIC * x * x * x)), out=out)


def _gelu_tanh_slope(y: Any, x: Any) -> Any:
    t = tanh(sqrt(2 / pi) * (x + GELU_CUBIC * x * x * x))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * sqrt(2 / pi) * (1 + 3 * GELU_CUBIC * x * x)


gelu_tanh.partials(_gelu_tanh_slope)
gelu_tanh.formula(
    r"y = \tfrac x2 (1 + t),\; t = \tanh u,\; u = \sqrt{2/\pi}\,(x + c x^3)",
    r"\bar x = \left(\tfrac{1 + t}{2} + \tfrac x2 (1 - t^2) u'\right) \odot \bar y",
)


@elementwise
def silu(x: Any, *, out: Any = None) -> Any:
    """x σ(x), also called swish. Elfwing et al. (2018)."""
    return xp(x).multiply(x, sigmoid(x), out=out)


silu.partials(lambda y, x: _silu_slope(x, sigmoid(x)))
silu.formula(r"y = x\,\sigma(x)", r"\bar x = \sigma(x)(1 + x(1 - \sigma(x))) \odot \bar y")


def _silu_slope(x: Any, s: Any) -> Any:
    return s * (1 + x * (1 - s))


@elementwise
def softplus(x: Any, *, out: Any = None) -> Any:
    """ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|)), which neither overflows nor loses digits."""
    np = xp(x)
    return np.add(np.maximum(x, 0), np.log1p(np.exp(-np.abs(x))), out=out)


softplus.partials(lambda y, x: sigmoid(x))
softplus.formula(r"y = \ln(1 + e^x)", r"\bar x = \sigma(x) \odot \bar y")


@elementwise
def log_sigmoid(x: Any, *, out: Any = None) -> Any:
    """ln σ(x) = min(x, 0) − ln(1 + e^(−|x|)), exact in both tails."""
    np = xp(x)
    return np.subtract(np.minimum(x, 0), np.log1p(np.exp(-np.abs(x))), out=out)


log_sigmoid.partials(lambda y, x: sigmoid(-x))
log_sigmoid.formula(r"y = \ln \sigma(x)", r"\bar x = \sigma(-x) \odot \bar y")


@elementwise(keeps_integers=True)
def step(x: Any, *, out: Any = None) -> Any:
    """1 where x ≥ 0, else 0 (the tie is 1; see `step_strict`). The derivative is 0. 000 (2.1)."""
    return into(out, (x >= 0).astype(x.dtype))


step.partials(None)
step.formula(r"y = [x \ge 0]", r"\bar x = 0")


@elementwise(keeps_integers=True)
def step_strict(x: Any, *, out: Any = None) -> Any:
    """1 where x > 0, else 0 (the tie is 0; see `step`). The derivative is 0. 004 §2.2.2."""
    return into(out, (x > 0).astype(x.dtype))


step_strict.partials(None)
step_strict.formula("y = [x > 0]", r"\bar x = 0")
