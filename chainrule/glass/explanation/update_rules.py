"""The rule of each optimiser for one parameter, line by line: moments, corrections, the step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.glass.explanation.rules import tenths
from chainrule.glass.explanation.steps import Formula
from chainrule.optim import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    AveragedMomentum,
    NormalizedGD,
    Optimizer,
    RMSprop,
    VelocityMomentum,
)

EACH = "squares, roots and quotients are taken entry by entry"


@dataclass(frozen=True)
class Line:
    """One line of an update: the quantity's name and sign, its rule, the rule with numbers, and its value.

    `before` is what it was, where the rule cannot be shown with numbers.
    """

    name: str
    sign: str
    rule: str
    value: np.ndarray
    numbers: Formula | None = None
    before: np.ndarray | None = None


@dataclass(frozen=True)
class Stepped:
    """One parameter in one step of an optimiser, as it happened.

    `sign` and `slope` are the signs of the parameter and of its derivative, `theta` and `g` their numbers before the
    step, `new` the parameter behind it; `before` and `after` are the moments, `t` counts the parameter's steps, and
    `settings` are those of its group, with `lr` and what was measured of the whole gradient.
    """

    sign: str
    slope: str
    theta: np.ndarray
    g: np.ndarray
    new: np.ndarray
    before: dict[str, np.ndarray]
    after: dict[str, np.ndarray]
    t: int
    settings: dict[str, Any]

    def assigned(self, right: str, numbers: Formula | None = None) -> Line:
        """The parameter takes its new value."""
        return Line("new", self.sign, rf"{self.sign} \leftarrow {right}", self.new, numbers)

    def moment(self, name: str, letter: str, right: str, numbers: Formula) -> Line:
        """A moment takes its new value, the optimiser's own."""
        return Line(name, letter, rf"{letter} \leftarrow {right}", self.after[name], numbers)

    def penalised(self) -> tuple[str, np.ndarray, list[Line]]:
        """The gradient with the penalty λ/2 ‖θ‖²: its sign, its numbers, and the line that shows it."""
        decay = self.settings["weight_decay"]
        if not decay:
            return self.slope, self.g, []
        value = self.g + decay * self.theta
        numbers = (self.g, "+", tenths(decay), r"\cdot", self.theta)
        return "g", value, [Line("g", "g", rf"g = {self.slope} + \lambda\, {self.sign}", value, numbers)]


LETTERS = {
    "lr": r"\eta", "momentum": r"\mu", "dampening": r"\tau", "alpha": r"\alpha", "beta_1": r"\beta_1",
    "beta_2": r"\beta_2", "eps": r"\varepsilon", "weight_decay": r"\lambda",
}  # fmt: skip
"""The letters of settings, as in the docstrings of the optimisers; a setting of 0 plays no part and is not shown."""


def lines(optimizer: Optimizer, stepped: Stepped) -> Iterator[Line]:
    """The lines of one parameter's update, in the order they are computed."""
    return _rule(optimizer)(stepped)


def notes(optimizer: Optimizer, stepped: Stepped) -> tuple[str, ...]:
    """Which optimiser it is, which of its steps, what the letters of its rule stand for, and how arrays are meant."""
    step = f"{type(optimizer).__name__}, step {stepped.t}"
    if _rule(optimizer) is _general:
        formula = getattr(optimizer, "formula", "")
        return (f"{step}: ${formula}$" if formula else step,)
    settings = dict(stepped.settings)
    settings["beta_1"], settings["beta_2"] = settings.pop("betas", (0, 0))
    stand = ", ".join(f"${sign} = {tenths(settings[name])}$" for name, sign in LETTERS.items() if settings.get(name))
    gradient = {"norm": r"; $\lVert g \rVert$ is the length of the gradient of all parameters together"}
    more = "".join(text for name, text in gradient.items() if name in settings)
    roots = (EACH,) if _rule(optimizer) in ADAPTIVE and stepped.g.size > 1 else ()
    return (f"{step}: {stand}{more}", *roots)


def _rule(optimizer: Optimizer) -> Callable[[Stepped], Iterator[Line]]:
    """The rule of an optimiser; `_general` where its class changes what the rule would tell."""
    kind = type(optimizer)
    own = (kind.update, kind.step, kind.measured)
    return next((rule for c, rule in RULES.items() if own == (c.update, c.step, c.measured)), _general)


# Gradient descent and its momenta.


def sgd(s: Stepped) -> Iterator[Line]:
    """Gradient descent, with heavy-ball or Nesterov's momentum."""
    sign, g, shown = s.penalised()
    yield from shown
    eta, mu = tenths(s.settings["lr"]), tenths(s.settings["momentum"])
    if not s.after:
        yield s.assigned(rf"{s.sign} - \eta\, {sign}", (s.theta, "-", eta, r"\cdot", g))
        return
    damped = s.settings["dampening"] if s.t > 1 else 0
    share, numbers = (r"(1 - \tau)\, ", (f"(1 - {tenths(damped)})", r"\cdot")) if damped else ("", ())
    v = s.after["velocity"]
    velocity = (mu, r"\cdot", s.before["velocity"], "+", *numbers, g)
    yield s.moment("velocity", "v", rf"\mu v + {share}{sign}", velocity)
    if not s.settings["nesterov"]:
        yield s.assigned(rf"{s.sign} - \eta v", (s.theta, "-", eta, r"\cdot", v))
        return
    ahead = (s.theta, "-", eta, r"\cdot", "(", g, "+", mu, r"\cdot", v, ")")
    yield s.assigned(rf"{s.sign} - \eta ({sign} + \mu v)", ahead)


def _averaged_momentum(s: Stepped) -> Iterator[Line]:
    sign, g, shown = s.penalised()
    yield from shown
    eta, mu = tenths(s.settings["lr"]), tenths(s.settings["momentum"])
    yield s.moment("velocity", "v", rf"\mu v + (1 - \mu)\, {sign}", _mean(mu, s.before["velocity"], (g,)))
    yield s.assigned(rf"{s.sign} - \eta v", (s.theta, "-", eta, r"\cdot", s.after["velocity"]))


def _velocity_momentum(s: Stepped) -> Iterator[Line]:
    sign, g, shown = s.penalised()
    yield from shown
    eta, mu = tenths(s.settings["lr"]), tenths(s.settings["momentum"])
    numbers = (mu, r"\cdot", s.before["velocity"], "+", eta, r"\cdot", g)
    yield s.moment("velocity", "v", rf"\mu v + \eta\, {sign}", numbers)
    yield s.assigned(f"{s.sign} - v", (s.theta, "-", s.after["velocity"]))


def _normalized(s: Stepped) -> Iterator[Line]:
    norm, eta = np.float64(s.settings["norm"]), tenths(s.settings["lr"])
    numbers = (s.theta, "-", eta, r"\cdot", s.g, "/", norm) if norm else None
    yield s.assigned(rf"{s.sign} - \eta\, {s.slope} / \lVert g \rVert", numbers)


# A rate for each parameter.


def _adagrad(s: Stepped) -> Iterator[Line]:
    sign, g, shown = s.penalised()
    yield from shown
    yield s.moment("s", "s", f"s + {_squared(sign)}", (s.before["s"], "+", g, "^2"))
    yield _over_root(s, sign, g, inside=False)


def _rmsprop(s: Stepped) -> Iterator[Line]:
    sign, g, shown = s.penalised()
    yield from shown
    alpha = tenths(s.settings["alpha"])
    numbers = _mean(alpha, s.before["s"], (g, "^2"))
    yield s.moment("s", "s", rf"\alpha s + (1 - \alpha)\, {_squared(sign)}", numbers)
    yield _over_root(s, sign, g, s.settings["eps_inside_sqrt"])


def _over_root(s: Stepped, sign: str, g: np.ndarray, inside: bool) -> Line:
    """θ ← θ − η g / (√s + ε)."""
    root, numbers = _root("s", s.after["s"], s.settings["eps"], inside)
    eta = tenths(s.settings["lr"])
    quotient = (s.theta, "-", eta, r"\cdot", g, _over(g), *numbers)
    return s.assigned(rf"{s.sign} - \eta\, {sign} / {root}", quotient)


def _adam(s: Stepped) -> Iterator[Line]:
    sign, g, shown = s.penalised()
    yield from shown
    yield from _adaptive(s, sign, g, s.sign, s.theta)


def _adamw(s: Stepped) -> Iterator[Line]:
    eta, decay = s.settings["lr"], s.settings["weight_decay"]
    if not decay:
        yield from _adaptive(s, s.slope, s.g, s.sign, s.theta)
        return
    sign, value = r"\tilde\theta", (1 - eta * decay) * s.theta
    numbers = (rf"(1 - {tenths(eta)} \cdot {tenths(decay)})", r"\cdot", s.theta)
    yield Line("decayed", sign, rf"{sign} = (1 - \eta\lambda)\, {s.sign}", value, numbers)
    yield from _adaptive(s, s.slope, s.g, sign, value)


def _adaptive(s: Stepped, sign: str, g: np.ndarray, from_sign: str, start: np.ndarray) -> Iterator[Line]:
    """Adam's moments, both corrected for their start at zero, its step Δθ, and the parameter behind it."""
    eta, eps = s.settings["lr"], s.settings["eps"]
    hats = {}
    for name, beta, power, of in (("m", 0, (g,), sign), ("v", 1, (g, "^2"), _squared(sign))):
        number, letter = tenths(s.settings["betas"][beta]), rf"\beta_{beta + 1}"
        numbers = _mean(number, s.before[name], power)
        yield s.moment(name, name, rf"{letter} {name} + (1 - {letter})\, {of}", numbers)
    for name, beta in (("m", 0), ("v", 1)):
        number, letter = s.settings["betas"][beta], rf"\beta_{beta + 1}"
        hats[name] = s.after[name] / (1 - number**s.t)
        numbers = (s.after[name], f" / (1 - {tenths(number)}^{{{s.t}}})")
        yield Line(f"{name}_hat", rf"\hat {name}", rf"\hat {name} = {name} / (1 - {letter}^t)", hats[name], numbers)
    root, numbers = _root(r"\hat v", hats["v"], eps, s.settings["eps_inside_sqrt"])
    change = s.new - start
    quotient = (f"-{tenths(eta)}", r"\cdot", hats["m"], _over(change), *numbers)
    yield Line("step", r"\Delta\theta", rf"\Delta\theta = -\eta\, \hat m / {root}", change, quotient)
    yield s.assigned(rf"{from_sign} + \Delta\theta", (start, "+", change))


def _general(s: Stepped) -> Iterator[Line]:
    """An optimiser of one's own: what it keeps, and the parameter, before and behind its step."""
    for name, value in s.after.items():
        letter = rf"\mathrm{{{name}}}".replace("_", r"\_")
        rule = rf"{letter} \leftarrow \operatorname{{step}}({letter}, {s.slope})"
        yield Line(name, letter, rule, value, before=s.before[name])
    right = rf"\operatorname{{step}}({s.sign}, {s.slope})"
    yield Line("new", s.sign, rf"{s.sign} \leftarrow {right}", s.new, before=s.theta)


# Parts of rules.


def _mean(share: str, before: np.ndarray, new: Formula) -> Formula:
    """β m + (1 − β) g with numbers."""
    return (share, r"\cdot", before, "+", f"(1 - {share})", r"\cdot", *new)


def _over(array: np.ndarray) -> str:
    """The sign of a quotient, entry by entry where there are several."""
    return r"\oslash" if array.size > 1 else " / "


def _squared(sign: str) -> str:
    return "g^2" if sign == "g" else f"({sign})^2"


def _root(sign: str, value: np.ndarray, eps: float, inside: bool) -> tuple[str, Formula]:
    """√s + ε, or √(s + ε), as a rule and with numbers."""
    if not eps:
        return rf"\sqrt{{{sign}}}", (r"\surd", value)
    if inside:
        return rf"\sqrt{{{sign} + \varepsilon}}", (r"\surd(", value, "+", tenths(eps), ")")
    return rf"(\sqrt{{{sign}}} + \varepsilon)", (r"(\surd", value, "+", tenths(eps), ")")


RULES: dict[type[Optimizer], Callable[[Stepped], Iterator[Line]]] = {
    SGD: sgd,
    AveragedMomentum: _averaged_momentum,
    VelocityMomentum: _velocity_momentum,
    NormalizedGD: _normalized,
    Adagrad: _adagrad,
    RMSprop: _rmsprop,
    Adam: _adam,
    AdamW: _adamw,
}
"""By the class whose `update` an optimiser runs; any other goes by `_general`."""

ADAPTIVE = (_adagrad, _rmsprop, _adam, _adamw)
"""Rules with squares, roots and quotients."""
