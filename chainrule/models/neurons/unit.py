"""What all linear neurons share: weights, a bias, a score, a threshold, and checked data to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.base.errors import DataError, OptionError, ShapeError
from chainrule.base.keys import Key


class Correction(NamedTuple):
    """One change of the weights: in which epoch (from 1), and which examples (rows of x) caused it."""

    epoch: int
    examples: tuple[int, ...]


class LinearUnit:
    """A neuron with score z = w·x + b that answers the positive class where z ≥ 0.

    A subclass states `learn(x, t)`: a generator that yields after each change, so that a reader can stop
    there and look at `weight_` (features,) and `bias_`; `fit` runs it to its end and keeps what it yielded in
    `history_`. After fitting, `converged_` says whether the rule came to rest before `max_epochs`, `epochs_`
    how many passes it took, `classes_` how the two classes were labelled.
    """

    weight_: NDArray[np.float64]
    bias_: float
    classes_: NDArray[np.int64]
    converged_: bool
    epochs_: int
    history_: list[Any]

    def __init__(self, *, lr: float, max_epochs: int) -> None:
        if not lr > 0:
            raise OptionError(f"{self.name} needs a positive learning rate, got lr={lr}.")
        if max_epochs < 1:
            raise OptionError(f"{self.name} needs at least one epoch, got max_epochs={max_epochs}.")
        self.lr = lr
        self.max_epochs = max_epochs

    @property
    def name(self) -> str:
        """The class's name, for messages."""
        return type(self).__name__

    def learn(self, x: ArrayLike, t: ArrayLike) -> Iterator[Any]:
        """Start from zero weights and yield after each change of them."""
        raise NotImplementedError

    def fit(self, x: ArrayLike, t: ArrayLike) -> Self:
        """Learn inputs x (examples, features) and labels t (examples,), from zero weights.

        Raises:
            ShapeError: x has not two axes, or t not one label per row of it.
            DataError: no examples, a number that is not finite, or labels that the rule does not know.
        """
        self.history_ = list(self.learn(x, t))
        return self

    def decision_function(self, x: ArrayLike) -> NDArray[np.float64]:
        """The scores z = w·x + b of inputs (examples, features), shape (examples,).

        Raises:
            DataError: not fitted yet, or a number that is not finite.
            ShapeError: another number of features than in `fit`.
        """
        if not hasattr(self, "weight_"):
            raise DataError(f"{self.name} has no weights yet.", fix="fit(x, t) first")
        inputs = checked_inputs(self.name, x)
        if inputs.shape[1] != len(self.weight_):
            raise ShapeError(
                f"{self.name} was fitted with {len(self.weight_)} features, got {inputs.shape[1]}.",
                input=inputs.shape,
            )
        return inputs @ self.weight_ + self.bias_

    def predict(self, x: ArrayLike) -> NDArray[np.int64]:
        """The class of each input: positive where z ≥ 0, labelled as in `fit`; shape (examples,).

        Raises:
            DataError: not fitted yet, or a number that is not finite.
            ShapeError: another number of features than in `fit`.
        """
        fires = self.decision_function(x) >= 0
        return self.classes_[fires.astype(int)]

    def start(self, features: int, classes: NDArray[np.int64]) -> None:
        """Zero weights, nothing learnt."""
        self.weight_, self.bias_, self.classes_ = np.zeros(features), 0.0, classes
        self.converged_, self.epochs_ = False, 0


def checked_inputs(owner: str, x: ArrayLike) -> NDArray[np.float64]:
    """Inputs as float64 (examples, features), at least one, all finite.

    Raises:
        ShapeError: not two axes.
        DataError: no examples, or a number that is not finite.
    """
    inputs = np.asarray(x, dtype=np.float64)
    if inputs.ndim != 2:
        raise ShapeError(
            f"{owner} expects inputs of shape (examples, features), got {inputs.shape}.",
            fix="x.reshape(-1, 1) for one feature, x.reshape(1, -1) for one example",
        )
    if len(inputs) == 0:
        raise DataError(f"{owner} needs at least one example, got none.", input=inputs.shape)
    if not np.isfinite(inputs).all():
        row, column = np.argwhere(~np.isfinite(inputs))[0]
        raise DataError(f"{owner} needs finite inputs, got {inputs[row, column]}.", row=row, column=column)
    return inputs


def check_lengths(owner: str, x: NDArray[np.float64], t: NDArray[Any]) -> None:
    """One label for each example.

    Raises:
        ShapeError: the numbers differ.
    """
    if len(x) != len(t):
        raise ShapeError(
            f"{owner} needs one label per example, got {len(x)} examples and {len(t)} labels.",
            input=x.shape,
            labels=t.shape,
        )


def visiting_order(examples: int, seed: int | None, epoch: int) -> NDArray[np.int64]:
    """The order of one epoch: as given, or shuffled as a function of (seed, epoch)."""
    if seed is None:
        return np.arange(examples)
    return (Key(seed) / "order" / epoch).generator().permutation(examples)
