"""Which rule of arithmetic was broken, in words, and what helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chainrule.glass.faults.search import Fault


class Rule(NamedTuple):
    """What was broken: a short name, why, and a fix."""

    name: str
    why: str
    fix: str


def rule_of(fault: Fault) -> Rule:
    """The rule that an operation broke, from its name and its operands."""
    table = FORWARD if fault.phase == "forward" else BACKWARD
    known = table.get(fault.node.name) if fault.node.primitive is not None else None
    return (known(fault) if known else None) or overflow(fault)


def overflow(fault: Fault) -> Rule:
    """A result beyond the largest number of its dtype: what finite operands do where nothing else is wrong."""
    dtype = np.asarray(fault.made).dtype
    largest = f"the largest number of {dtype} is {np.finfo(dtype).max:.6g}"
    if dtype == np.float16:
        fix = "float32 for this part, or cr.optim.LossScale for gradients"
        return Rule("overflow of float16", largest, fix)
    return Rule(f"overflow of {dtype}", largest, "smaller inputs or weights: scale the data, or normalise before it")


# Forwards.


def logarithm(fault: Fault) -> Rule | None:
    """log x for x ≤ 0; log1p x for x ≤ −1."""
    x, _ = fault.at(0)
    least = -1 if fault.node.name == "log1p" else 0
    name = fault.node.name
    if x == least:
        fix = f"a loss on logits, which needs no {name}; or cr.{name}(x + 1e-7)"
        return Rule(f"{name} of {least}", f"{name} x goes to −∞ as x goes to {least}", fix)
    return Rule(f"{name} of a negative number", f"{name} x is defined for x > {least}", f"cr.{name}(cr.softplus(x))")


def exponential(fault: Fault) -> Rule | None:
    """exp x beyond log of the largest number."""
    dtype, name = fault.made.dtype, fault.node.name
    base = 2.0 if name == "exp2" else np.e
    limit = np.log(float(np.finfo(dtype).max)) / np.log(base)
    fix = "cr.logsumexp, cr.softmax or cr.log_softmax, which subtract the maximum first; or cr.clip(x, None, 80)"
    return Rule(f"overflow of {name}", f"{name} x is beyond {dtype} for x > {limit:.4g}", fix)


def quotient(fault: Fault) -> Rule | None:
    """0/0, a/0, and a denominator that is the root of a variance."""
    a, b = fault.at(0)[0], fault.at(1)[0]
    if b != 0:
        return None
    if is_spread(fault.origins[1]):
        why = "a column that does not vary has variance 0"
        return Rule("division by a variance of zero", why, "eps inside the root: cr.sqrt(var + 1e-5)")
    if a == 0:
        return Rule("0/0", "0/0 is no number", "cr.where(b == 0, 0.0, a / cr.where(b == 0, 1.0, b)), or b + 1e-8")
    return Rule("division by zero", "a/b goes to ±∞ as b goes to 0", "b + 1e-8, or cr.maximum(b, 1e-8) for b ≥ 0")


def is_spread(node: Any) -> bool:
    """Whether a node is a variance or its root: made, along first operands, from a mean of squared differences."""
    names = []
    while node is not None and node.primitive is not None and len(names) < CHAIN:
        names.append(node.name)
        node = next(iter(node.parents), None)
    after = iter(names)
    return all(any(name in step for name in after) for step in SPREAD)


SPREAD = (("mean", "sum"), ("square", "multiply", "raise_to"), ("subtract",))
"""A variance from its end to its beginning."""

CHAIN = 12
"""Operations that lie between a denominator and the differences it is the spread of, at most."""


def root(fault: Fault) -> Rule | None:
    """√x for x < 0."""
    return Rule("sqrt of a negative number", "√x is defined for x ≥ 0", "cr.sqrt(cr.maximum(x, 0)), or x ** 2 before")


def power(fault: Fault) -> Rule | None:
    """0 to a negative power, a negative number to a fraction."""
    x = fault.at(0)[0]
    p = fault.node.params["exponent"] if fault.node.name == "raise_to" else fault.at(1)[0]
    if x == 0 and p < 0:
        return Rule("0 to a negative power", f"x^{p:g} goes to ∞ as x goes to 0", "cr.maximum(x, 1e-8) before it")
    if x < 0 and p != int(p):
        return Rule("a fractional power of a negative number", f"x^{p:g} is defined for x ≥ 0", "cr.abs(x) before it")
    return None


def masked(fault: Fault) -> Rule | None:
    """Softmax of a row of −∞."""
    if not np.isneginf(fault.operands[0]).any():
        return None
    why = "softmax of a row that is −∞ throughout is 0/0"
    fix = "a boolean mask: cr.scaled_dot_product_attention(q, k, v, mask), whose fully masked rows give 0"
    return Rule("a fully masked row", why, fix)


def standardised(fault: Fault) -> Rule | None:
    """A variance of zero, and no ε."""
    axes = fault.node.params["axis"]
    if fault.node.params["eps"] == 0 and (np.var(fault.operands[0], axis=axes) == 0).any():
        return Rule("division by a variance of zero", "x does not vary along the axes of the norm", "eps=1e-5")
    return None


def opposite(fault: Fault) -> Rule | None:
    """∞ − ∞, where a constant brought the infinities."""
    if all(np.isfinite(a).all() for a in fault.operands):
        return None
    return Rule("∞ − ∞", "the difference of infinities is no number", "a large finite number, as -1e9, in the mask")


def nothing_times_infinity(fault: Fault) -> Rule | None:
    """0 · ∞, where a constant brought the infinity."""
    if all(np.isfinite(a).all() for a in fault.operands):
        return None
    return Rule("0 · ∞", "zero times infinity is no number", "cr.where(mask, x, 0.0) in the place of a product")


FORWARD: dict[str, Callable[[Fault], Rule | None]] = {
    **dict.fromkeys(("log", "log2", "log10", "log1p"), logarithm),
    **dict.fromkeys(("exp", "exp2", "expm1", "sinh", "cosh"), exponential),
    **dict.fromkeys(("softmax", "log_softmax", "masked_softmax", "logsumexp"), masked),
    **dict.fromkeys(("raise_to", "raise_both"), power),
    **dict.fromkeys(("add", "subtract", "sum", "mean"), opposite),
    **dict.fromkeys(("multiply", "matmul", "affine"), nothing_times_infinity),
    "divide": quotient,
    "sqrt": root,
    "standardise": standardised,
}


# Backwards.


def steep(fault: Fault) -> Rule | None:
    """The slope of √x and of xᵖ, p < 1, at 0."""
    x = fault.at(0)[0]
    name = fault.node.name
    power = 0.5 if name == "sqrt" else fault.node.params.get("exponent", 0.5)
    if x != 0 or power >= 1:
        return None
    shown = "√x" if name == "sqrt" else f"x^{power:g}"
    fix = "cr.sqrt(x + 1e-12), or cr.norm(x), whose derivative at 0 is taken as 0" if name == "sqrt" else "x + 1e-12"
    return Rule(f"{name} at 0", f"the slope of {shown} goes to ∞ as x goes to 0", fix)


def hidden(fault: Fault) -> Rule | None:
    """An infinite slope that 0 comes back to, as from a `where` that left the value out: 0 · ∞ is NaN."""
    x, _ = fault.at(0)
    if x != 0:
        return None
    name = fault.node.name
    why = f"the slope of {name} goes to ∞ at 0; times the 0 that comes back to it, as from a `where`, it is NaN"
    return Rule(
        f"0 · ∞ in the derivative of {name}", why, f"inside of a where: cr.{named(name)}, x = cr.where(good, x, 1.0)"
    )


def named(name: str) -> str:
    """A primitive of x as it is called."""
    return "power(x, p)" if name == "raise_to" else f"{name}(x)"


def root_or_hidden(fault: Fault) -> Rule | None:
    """A root at 0 whose value counts, or one that `where` has left out."""
    sent = None if fault.bar is None or fault.bar.shape != fault.made.shape else fault.bar[fault.place]
    return hidden(fault) if sent == 0 else steep(fault)


def denominator(fault: Fault) -> Rule | None:
    """A quotient whose denominator is 0, left out forwards."""
    if fault.at(1)[0] != 0:
        return None
    why = "the slope of a/b goes to ∞ at b = 0; times the 0 that comes back to it, as from a `where`, it is NaN"
    return Rule("0 · ∞ in the derivative of divide", why, "inside of a where: a / cr.where(b == 0, 1.0, b)")


def edge(fault: Fault) -> Rule | None:
    """The slope of arcus sine and cosine at ±1."""
    name = fault.node.name
    return Rule(f"{name} at ±1", f"the slope of {name} x goes to ∞ as x goes to ±1", "cr.clip(x, -1 + 1e-6, 1 - 1e-6)")


BACKWARD: dict[str, Callable[[Fault], Rule | None]] = {
    **dict.fromkeys(("sqrt", "raise_to"), root_or_hidden),
    **dict.fromkeys(("log", "log2", "log10"), hidden),
    **dict.fromkeys(("acos", "asin"), edge),
    "divide": denominator,
}
