"""The perceptron: a linear unit that learns from its mistakes, one at a time or all at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.models.neurons.labels import signed_labels
from chainrule.models.neurons.unit import (
    Correction,
    LinearUnit,
    check_lengths,
    checked_inputs,
    visiting_order,
)


class Task(NamedTuple):
    """What a perceptron learns from: inputs (examples, features), labels as ±1, the two classes as given."""

    x: NDArray[np.float64]
    t: NDArray[np.float64]
    classes: NDArray[np.int64]


def checked_task(owner: str, x: ArrayLike, t: ArrayLike) -> Task:
    """Inputs and labels that fit together."""
    inputs, labels = checked_inputs(owner, x), signed_labels(owner, t)
    check_lengths(owner, inputs, labels.signs)
    return Task(inputs, labels.signs, labels.classes)


class Perceptron(LinearUnit):
    """Rosenblatt's perceptron, stochastic rule: each mistake is corrected as it is met.

        if t (w·x + b) ≤ 0:   w ← w + η t x,   b ← b + η t        (t = ±1)

    A score of exactly 0 counts as a mistake: with < the zero weights of the start would never move. Labels
    are 0/1 or ±1. From zero weights η only scales the solution. On linearly separable data it makes at most
    `mistake_bound` corrections and stops after an epoch without one (`converged_`); on other data it goes
    round for ever, hence `max_epochs`. Examples come in the order given, or shuffled by `seed` anew in every
    epoch. `history_` holds a `Correction` for each mistake, `mistakes_` their number.

    Rosenblatt (1958), Psychol. Rev. 65, 386-408; 000 (2.10)-(2.12); 004 §2.6, Listing 1 (its text has <).

    >>> gate = Perceptron().fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])
    >>> gate.weight_, gate.bias_, gate.mistakes_
    (array([3., 2.]), -4.0, 18)
    """

    def __init__(self, *, lr: float = 1.0, max_epochs: int = 1000, seed: int | None = None) -> None:
        super().__init__(lr=lr, max_epochs=max_epochs)
        self.seed = seed

    mistakes_: int

    def learn(self, x: ArrayLike, t: ArrayLike) -> Iterator[Correction]:
        """Start from zero weights and yield after each correction.

        Raises:
            ShapeError: x has not two axes, or t not one label per row of it.
            DataError: no examples, a number that is not finite, or labels other than 0/1 or ±1.
        """
        task = checked_task(self.name, x, t)
        self.start(task.x.shape[1], task.classes)
        self.mistakes_ = 0
        while self.epochs_ < self.max_epochs and not self.converged_:
            self.epochs_ += 1
            before = self.mistakes_
            yield from self.epoch(task)
            self.converged_ = self.mistakes_ == before

    def epoch(self, task: Task) -> Iterator[Correction]:
        """One pass over the examples."""
        for i in visiting_order(len(task.x), self.seed, self.epochs_):
            x, t = task.x[i], task.t[i]
            if t * (x @ self.weight_ + self.bias_) <= 0:
                self.weight_ = self.weight_ + self.lr * t * x
                self.bias_ += float(self.lr * t)
                self.mistakes_ += 1
                yield Correction(self.epochs_, (int(i),))


class BatchPerceptron(LinearUnit):
    """The perceptron, batch rule: one step a pass, down the gradient of the perceptron criterion.

        M = {i: tᵢ (w·xᵢ + b) ≤ 0},   D(w, b) = −Σ_M tᵢ (w·xᵢ + b)
        w ← w + η Σ_M tᵢ xᵢ,   b ← b + η Σ_M tᵢ        (t = ±1)

    The sum, not the mean, over the mistakes; ties, labels, start and attributes as in `Perceptron`, but a
    `Correction` names all of M, and `mistakes_` adds up their sizes (`mistake_bound` does not limit it).
    Rosenblatt (1958); 004 §2.6.

    >>> gate = BatchPerceptron().fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1])
    >>> gate.weight_, gate.bias_, gate.epochs_
    (array([2., 2.]), -1.0, 5)
    """

    def __init__(self, *, lr: float = 1.0, max_epochs: int = 1000) -> None:
        super().__init__(lr=lr, max_epochs=max_epochs)

    mistakes_: int

    def learn(self, x: ArrayLike, t: ArrayLike) -> Iterator[Correction]:
        """Start from zero weights and yield after each correction.

        Raises:
            ShapeError: x has not two axes, or t not one label per row of it.
            DataError: no examples, a number that is not finite, or labels other than 0/1 or ±1.
        """
        task = checked_task(self.name, x, t)
        self.start(task.x.shape[1], task.classes)
        self.mistakes_ = 0
        while self.epochs_ < self.max_epochs and not self.converged_:
            self.epochs_ += 1
            wrong = np.flatnonzero(task.t * (task.x @ self.weight_ + self.bias_) <= 0)
            self.converged_ = wrong.size == 0
            if wrong.size:
                yield self.correct(task, wrong)

    def correct(self, task: Task, wrong: NDArray[np.intp]) -> Correction:
        """Add the inputs on the wrong side, each towards its own side."""
        self.weight_ = self.weight_ + self.lr * (task.t[wrong] @ task.x[wrong])
        self.bias_ += float(self.lr * task.t[wrong].sum())
        self.mistakes_ += wrong.size
        return Correction(self.epochs_, tuple(wrong.tolist()))
