"""Several networks of one architecture, trained at once in one batched computation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.core.batch import vmap
from chainrule.core.stack import stack
from chainrule.nn.functional import replaced
from chainrule.nn.module import Module
from chainrule.nn.parameter import Buffer, Parameter
from chainrule.nn.state import parts


class Ensemble(Module):
    """k models of equal architecture as one module: result k, from input shared by all, (k, *result of one).

    The weights of the models lie behind one another, (k, …), and every operation runs once for all k. The sum of
    the members' losses has for each member the gradient of its own loss, so that

        cr.vmap(loss, in_axes=(0, None))(ensemble(x), y).sum().backward()

    and one step of an entry-by-entry optimiser (SGD, Adam, …; not one that takes a norm over all parameters) train
    each as if it were alone. Running statistics are kept for each member, (k, …). `ensemble(x, in_axes=0)` gives
    each member an input of its own, (k, n, …), where their seeds deal the data in different orders.

    With `seeds`, one a model, member k draws (dropout, noise) what it would draw alone in a stream of that seed: at
    the same moment, `Key(seeds[k]) / "step" / n` in place of `Key(seed) / "step" / n`, with its own module paths
    and counts. So the k trainings of these seeds, one by one, and the one training of the ensemble are the same but
    for rounding. Without seeds member k draws from `key / "example" / k` (see `vmap`).

    Raises:
        OptionError: no models, models that differ, or more or fewer seeds than models.

    >>> import chainrule as cr
    >>> ensemble = cr.nn.Ensemble([cr.nn.Linear(3, 2) for _ in range(5)])
    >>> ensemble(cr.zeros(4, 3)).shape
    (5, 4, 2)
    """

    def __init__(self, models: Sequence[Module], seeds: Sequence[int] | None = None) -> None:
        models = list(models)
        _check(models)
        if seeds is not None and len(seeds) != len(models):
            raise OptionError(f"An ensemble takes a seed for each of its {len(models)} models, got {len(seeds)}.")
        self._template = _Unlearned(models[0])
        self.size, self.seeds = len(models), None if seeds is None else [int(s) for s in seeds]
        states = [parts(model) for model in models]
        together = {name: np.stack([state[name].numpy() for state in states]) for name in states[0]}
        learned = dict(models[0].named_parameters()).keys()
        self.members = {name: Parameter(array) for name, array in together.items() if name in learned}
        self.statistics = {name: Buffer(array) for name, array in together.items() if name not in learned}

    def forward(self, *inputs: Any, in_axes: int | None = None) -> Any:
        """The results of all members, on the same input or, along `in_axes`, each on its own."""
        axes = (0, 0, *[in_axes] * len(inputs))
        randomness = "different" if self.seeds is None else self.seeds
        together = vmap(self._one, axes, randomness=randomness)
        y, statistics = together(dict(self.members), dict(self.statistics), *inputs)
        for name, value in statistics.items():
            self.statistics[name].assign(value)
        return y

    def _one(self, weights: Mapping[str, Any], statistics: Mapping[str, Any], *inputs: Any) -> tuple[Any, Any]:
        """The result of one member, and what its running statistics have become."""
        template = self.template
        with _outermost(), replaced(template, {**weights, **statistics}):
            return template(*inputs), dict(template.named_buffers()) if self.training else {}

    @property
    def template(self) -> Module:
        """The first model, whose architecture all share; in the same mode as the ensemble."""
        return self._template.module.train(self.training)

    def member(self, k: int) -> Module:
        """The template with the weights and statistics of member k written into it."""
        self.template.load_state_dict({n: p.data[k] for n, p in {**self.members, **self.statistics}.items()})
        return self.template

    def extra_repr(self) -> str:
        return f"{self.size} × {type(self._template.module).__name__}"


@dataclass(frozen=True)
class _Unlearned:
    """A module kept beside the tree: its weights are not the ensemble's."""

    module: Module


@contextmanager
def _outermost() -> Iterator[None]:
    """Inside the block, a module is called as if no other were at work: its paths start at itself."""
    before = stack.modules, stack.path
    stack.modules, stack.path = [], []
    try:
        yield
    finally:
        stack.modules, stack.path = before


def _check(models: Sequence[Module]) -> None:
    if not models:
        raise OptionError("An ensemble has one model or more.")
    shapes = [{name: part.shape for name, part in parts(model).items()} for model in models]
    for k, (model, shape) in enumerate(zip(models, shapes, strict=True)):
        if shape != shapes[0] or type(model) is not type(models[0]):
            raise OptionError(
                f"The models of an ensemble have one architecture, model {k} differs from model 0.",
                model=repr(model).split("\n")[0],
            )
