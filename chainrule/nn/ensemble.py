"""Several networks of one architecture, trained at once in one batched computation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.core.batch import vmap
from chainrule.nn.functional import functional_call
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter


class Ensemble(Module):
    """k models of equal architecture as one module: result k, from input shared by all, (k, *result of one).

    The weights of the models lie behind one another, (k, …), and every operation runs once for all k. The sum of
    the members' losses has for each member the gradient of its own loss, so that

        cr.vmap(loss, in_axes=(0, None))(ensemble(x), y).sum().backward()

    and one step of an entry-by-entry optimiser (SGD, Adam, …; not one that takes a norm over all parameters) train
    each as if it were alone. Dropout draws one mask for all; models with buffers are not taken.

    Raises:
        OptionError: no models, models that differ, or models with running statistics.

    >>> import chainrule as cr
    >>> ensemble = cr.nn.Ensemble([cr.nn.Linear(3, 2) for _ in range(5)])
    >>> ensemble(cr.zeros(4, 3)).shape
    (5, 4, 2)
    """

    def __init__(self, models: Sequence[Module]) -> None:
        states = [dict(model.named_parameters()) for model in models]
        _check(models, [{name: p.shape for name, p in state.items()} for state in states])
        self._template = _Unlearned(models[0])
        self.size = len(models)
        self.members = {name: Parameter(np.stack([state[name].data for state in states])) for name in states[0]}

    def forward(self, *inputs: Any) -> Any:
        """The results of all members on the same input."""
        return vmap(lambda weights: functional_call(self.template, weights, *inputs))(dict(self.members))

    @property
    def template(self) -> Module:
        """The first model, whose architecture all share; in the same mode as the ensemble."""
        return self._template.module.train(self.training)

    def member(self, k: int) -> Module:
        """The template with the weights of member k written into it."""
        self.template.load_state_dict({name: p.data[k] for name, p in self.members.items()})
        return self.template

    def extra_repr(self) -> str:
        return f"{self.size} × {type(self._template.module).__name__}"


@dataclass(frozen=True)
class _Unlearned:
    """A module kept beside the tree: its weights are not the ensemble's."""

    module: Module


def _check(models: Sequence[Module], shapes: list[Any]) -> None:
    if not models:
        raise OptionError("An ensemble has one model or more.")
    for k, (model, shape) in enumerate(zip(models, shapes, strict=True)):
        if shape != shapes[0] or type(model) is not type(models[0]):
            raise OptionError(
                f"The models of an ensemble have one architecture, model {k} differs from model 0.",
                model=repr(model).split("\n")[0],
            )
        if any(True for _ in model.named_buffers()):
            raise OptionError(
                f"An ensemble takes no models with running statistics, model {k} has some.",
                fix="LayerNorm in place of BatchNorm",
            )
