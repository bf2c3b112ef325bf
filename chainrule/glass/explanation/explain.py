"""The worked example of a network: forwards, backwards, update, with every number shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.base.keys import Key
from chainrule.core import next_key
from chainrule.core.stack import stack
from chainrule.glass.explanation.differences import Check
from chainrule.glass.explanation.inside import INSIDE
from chainrule.glass.explanation.passes import Pass
from chainrule.glass.explanation.problem import Problem, batch, check_alone, check_options, further, loss_named, several
from chainrule.glass.explanation.steps import Step
from chainrule.glass.explanation.story import Part, introduction, story
from chainrule.glass.explanation.told import Told
from chainrule.glass.explanation.updates import passes
from chainrule.nn import Module
from chainrule.optim.limits import COUNT

ENDING = ("prediction", "losses", "loss", INSIDE)
"""Kinds of forward steps that are no layers."""


@dataclass(frozen=True)
class Note:
    """A remark printed below a step: of the batch or of one sample (from 0), after so many updates."""

    name: str
    text: str
    updates: int = 0
    sample: int | None = None


def explain(
    model: Module,
    x: Any,
    y: Any,
    loss: Callable[..., Any] | str,
    *,
    layout: str = "rows",
    lr: float | None = None,
    optimizer: Callable[..., Any] | None = None,
    steps: int = 1,
    samples: Sequence[int] = (),
    digits: int = 5,
    title: str = "",
    notes: Sequence[Note] = (),
    key: Key | None = None,
) -> Explanation:
    """The whole forward and backward pass of a network, with its numbers, step by step.

    For samples in rows, z = a Wᵀ + b and Δ⁽ˡ⁾ = (Δ⁽ˡ⁺¹⁾ W⁽ˡ⁺¹⁾) ⊙ σ'(Z⁽ˡ⁾); with `layout="columns"` the same
    transposed, as 000 §5.3.3 writes it. Every number is the library's own, computed in float64 on copies of
    the model's numbers, and every derivative is checked against central differences. Layers tell what is inside of
    them as steps of their own: a convolution its window and the product it is (`conv1.window`, `conv1.matrix`,
    `conv1.product`), a norm its mean, variance and x̂ (`bn1.mean`, `bn1.var`, `bn1.x_hat`), pooling which entry
    won (`pool1.mask`), an embedding how often each id stands (`emb.counts`), a recurrent layer its gates and states
    step by step and the way back through time (`lstm.t2.f`, `lstm.t2.dc`, `lstm.t2.delta_f`; of a long sequence the
    first two steps and the last), attention its heads (`attn.head1.scores`, `attn.head1.dscores`), a softmax its
    Jacobian.

    Shapes: x (n, features), (n, channels, *size), ids (n, T) for an embedding, or one sample (features); y as the
    loss takes it; sequences (n, T, features), of which all steps are rows, and a tuple of arrays for a model of several
    inputs. Arrays of more than two axes else keep them in both layouts. The loss is a function or its
    name, such as "mse". `lr` adds `steps` updates of
    gradient descent, θ ← θ − η ∂L/∂θ, and the forward pass behind each; `optimizer` instead is a function
    that makes one from parameters, such as `lambda p: cr.optim.Adam(p, lr=1e-3)`: its rule is shown line by line with
    its own moments, `fc1.W.m`, `fc1.W.v`, `fc1.W.m_hat`, ..., `fc1.W.new`. `samples` (from 0) are
    walked through one by one before the batch. Masks of dropout are drawn by `key`, as within `random_stream(key)`; if
    left out, by the next of the stream, which stays where it is. 000 ch. 5-6; 004 §2.4.4.

    Raises:
        OptionError: the loss or the layout is unknown; digits, lr, optimizer or steps make no sense; the model is no
            module, or has a layer that cannot be explained.
        ShapeError: x and y, or the inputs among themselves, have different numbers of samples.
        DataError: there is no sample, or a number is not finite.

    >>> import chainrule as cr
    >>> model = cr.nn.Sequential(fc1=cr.nn.Linear(1, 1), act=cr.nn.Sigmoid(), fc2=cr.nn.Linear(1, 1))
    >>> e = cr.explain(model, [[1.0]], [[0.5]], "half-squared")
    >>> str(e.step("fc1.delta")), bool(e.step("fc1.delta").check)
    ("δ⁽¹⁾ = (δ⁽²⁾ W⁽²⁾) ⊙ σ'(z⁽¹⁾)", True)
    """
    check_options(model, layout, lr, optimizer, steps)
    digits = COUNT("explain", "digits", digits)
    first, *others = several(x)
    x, y = batch(model, first, y)
    problem = Problem(model, x, y, loss_named(loss), layout, key or coming_key(), further(model, tuple(others), x))
    shown = tuple(passes(problem, lr, optimizer, steps))
    return Explanation(problem, shown, tuple(samples), digits, title, tuple(notes))


def coming_key() -> Key:
    """The next key of the random stream, which stays where it is."""
    draws = stack.draws
    try:
        return next_key()
    finally:
        stack.draws = draws


class Explanation(Told):
    """A worked example: print it, or take its numbers by name.

    `str()` is for a terminal, `latex()` and `html()` are for paper and page. `explanation["fc1.delta"]` is a
    quantity of the first pass by its name (see `Pass`), and the names are what it iterates over;
    `steps` are the steps as data, `passes` the passes, one more than there were updates, `after` the last of
    them, and `losses` the loss in each.
    """

    def __init__(
        self, problem: Problem, passes: tuple[Pass, ...], samples: tuple[int, ...], digits: int, title: str,
        notes: tuple[Note, ...], sample: int | None = None,
    ) -> None:  # fmt: skip
        self.problem, self.passes, self.samples, self.digits = problem, passes, samples, digits
        self.title, self.notes, self.index = title, notes, sample
        self.walked = tuple(self.sample(i) for i in samples)

    # Numbers.

    def __getitem__(self, name: str) -> np.ndarray:
        return self.passes[0][name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.passes[0])

    def __len__(self) -> int:
        return len(self.passes[0])

    def __contains__(self, name: object) -> bool:
        return name in self.passes[0]

    def keys(self) -> list[str]:
        """The names of all quantities, so that `dict(explanation)` is their numbers."""
        return self.names

    def step(self, name: str) -> Step:
        """The step that a quantity of the first pass comes from."""
        return self.passes[0].step(name)

    @property
    def names(self) -> list[str]:
        """The names of all quantities."""
        return list(self.passes[0].values)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the first pass."""
        return self.passes[0].steps

    @property
    def after(self) -> Pass:
        """The last pass: behind all updates."""
        return self.passes[-1]

    @property
    def losses(self) -> np.ndarray:
        """The loss in each pass: before the first update, behind it, ..."""
        return np.array([float(p["loss"]) for p in self.passes])

    @property
    def checks(self) -> list[Check]:
        """Every derivative's check, in all passes and for the samples walked through."""
        passes = [*self.passes, *(p for single in self.walked for p in single.passes)]
        return [step.check for p in passes for step in p.steps if step.check is not None]

    def sample(self, i: int) -> Explanation:
        """The same for one sample alone, i from 0, with the parameters that the batch had in each pass.

        Raises:
            OptionError: there is no such sample, or a layer in training mode makes samples depend on each
                other or on a draw.
        """
        problem = self.problem
        m = len(problem.x)
        if not 0 <= i < m:
            raise OptionError(f"There is no sample {i}: there are {m}, counted from 0.")
        check_alone(problem.model)
        alone = problem.alone(i)
        passes = tuple(alone.run(p.state, backward=k == 0) for k, p in enumerate(self.passes))
        return Explanation(alone, passes, (), self.digits, self.title, self.notes, i)

    def notes_on(self, step: Step, updates: int) -> list[str]:
        """The remarks that belong below a step of the pass behind so many updates."""
        own = [n.text for n in self.notes if (n.name, n.updates, n.sample) == (step.name, updates, self.index)]
        return [*step.notes, *own]

    # Words.

    @property
    def heading(self) -> str:
        """The layers in one line."""
        layers = [s.caption.split(": ")[-1] for s in self.passes[0].phase("forward") if s.kind not in ENDING]
        return " → ".join(layers)

    @property
    def headline(self) -> str:
        """The title, or the layers."""
        return self.title or f"Explained: {self.heading}"

    def introduction(self) -> list[str]:
        """What is explained, and how many of its derivatives were checked."""
        return introduction(self)

    def parts(self) -> Iterator[Part]:
        """A sample, the batch, the update, and again behind it."""
        return story(self)

    def __repr__(self) -> str:
        good, checks = sum(map(bool, self.checks)), len(self.checks)
        checked = f"{good} of {checks} derivatives checked"
        return f"<Explanation of {self.heading}: {len(self.steps)} steps, {checked}>"
