"""Hebb's rule applied to mistakes: inputs that were active when the neuron erred gain weight."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.models.neurons.labels import signed_labels
from chainrule.models.neurons.unit import Correction, LinearUnit, check_lengths, checked_inputs


class ErrorDrivenHebb(LinearUnit):
    """The error-driven Hebbian rule: where the output is wrong, input and *target* that agree are bound.

        y = t₊ if w·x + b > 0 else t₋;   if y ≠ t:   w ← w + η t x,   b ← b + η t

    Targets enter the product as they are labelled, and that decides what can be learnt. With −1/+1 this is
    the perceptron rule but for its tie: a score of 0 answers t₋ here. With 0/1 a target of 0 changes nothing,
    so no weight ever falls, and with a bias even OR is never learnt. Hebb's own idea has no error in it:
    weights grow whenever input and output are active together.

    The step is strict, y = [z > 0], here and in `predict`: with z ≥ 0 zero weights answer 1 to everything and
    OR is never learnt. `bias=False` keeps b = 0. Examples come in the order given; `history_` holds a
    `Correction` for each mistake, `mistakes_` their number; `converged_` after an epoch without one.
    After Hebb (1949), The Organization of Behavior; 004 (6)-(9), Example 3 (it states z ≥ 0, it uses z > 0).

    >>> gate = ErrorDrivenHebb(bias=False).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1])
    >>> gate.weight_, gate.history_
    (array([0.1, 0.1]), [Correction(epoch=1, examples=(1,)), Correction(epoch=1, examples=(2,))])
    """

    def __init__(self, *, lr: float = 0.1, max_epochs: int = 1000, bias: bool = True) -> None:
        super().__init__(lr=lr, max_epochs=max_epochs)
        self.bias = bias

    mistakes_: int

    def learn(self, x: ArrayLike, t: ArrayLike) -> Iterator[Correction]:
        """Start from zero weights and yield after each correction.

        Raises:
            ShapeError: x has not two axes, or t not one label per row of it.
            DataError: no examples, a number that is not finite, or labels other than 0/1 or ±1.
        """
        inputs, labels = checked_inputs(self.name, x), signed_labels(self.name, t)
        check_lengths(self.name, inputs, labels.signs)
        targets = np.where(labels.signs > 0, labels.classes[1], labels.classes[0])
        self.start(inputs.shape[1], labels.classes)
        self.mistakes_ = 0
        while self.epochs_ < self.max_epochs and not self.converged_:
            self.epochs_ += 1
            before = self.mistakes_
            yield from self.epoch(inputs, targets)
            self.converged_ = self.mistakes_ == before

    def epoch(self, inputs: NDArray[np.float64], targets: NDArray[np.int64]) -> Iterator[Correction]:
        """One pass over the examples."""
        for i, (x, t) in enumerate(zip(inputs, targets, strict=True)):
            if self.classes_[int(x @ self.weight_ + self.bias_ > 0)] != t:
                self.weight_ = self.weight_ + self.lr * t * x
                self.bias_ += float(self.lr * t) if self.bias else 0.0
                self.mistakes_ += 1
                yield Correction(self.epochs_, (i,))

    def predict(self, x: ArrayLike) -> NDArray[np.int64]:
        """The class of each input: positive where z > 0, labelled as in `fit`; shape (examples,).

        Raises:
            DataError: not fitted yet, or a number that is not finite.
            ShapeError: another number of features than in `fit`.
        """
        fires = self.decision_function(x) > 0
        return self.classes_[fires.astype(int)]
