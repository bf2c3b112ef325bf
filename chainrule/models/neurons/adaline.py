"""ADALINE: a linear unit that learns from the error of its score, before the threshold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.base.errors import NumericalError
from chainrule.models.neurons.labels import signed_labels
from chainrule.models.neurons.unit import LinearUnit, check_lengths, checked_inputs, visiting_order


class Pass(NamedTuple):
    """One epoch (from 1) and the mean squared error of the scores after it."""

    epoch: int
    mse: float


class LeastMeanSquares(LinearUnit):
    """What both ADALINEs share: ±1 targets, epochs until the weights rest, a guard against divergence.

    It rests (`converged_`) when no weight, nor the bias, moved by more than `tol` in an epoch. `history_`
    holds a `Pass` per epoch.
    """

    def __init__(self, *, lr: float, max_epochs: int, tol: float) -> None:
        super().__init__(lr=lr, max_epochs=max_epochs)
        self.tol = tol

    def learn(self, x: ArrayLike, t: ArrayLike) -> Iterator[Pass]:
        """Start from zero weights and yield after each epoch.

        Raises:
            ShapeError: x has not two axes, or t not one label per row of it.
            DataError: no examples, a number that is not finite, or labels other than 0/1 or ±1.
            NumericalError: the weights grew out of bounds, since the learning rate is too large.
        """
        inputs, labels = checked_inputs(self.name, x), signed_labels(self.name, t)
        check_lengths(self.name, inputs, labels.signs)
        self.start(inputs.shape[1], labels.classes)
        while self.epochs_ < self.max_epochs and not self.converged_:
            self.epochs_ += 1
            before = np.append(self.weight_, self.bias_)
            yield self.passed(inputs, labels.signs)
            self.converged_ = bool(abs(np.append(self.weight_, self.bias_) - before).max() <= self.tol)

    def passed(self, x: NDArray[np.float64], t: NDArray[np.float64]) -> Pass:
        """Run an epoch and measure its result."""
        with np.errstate(over="ignore", invalid="ignore"):
            self.epoch(x, t)
            mse = float(np.mean((t - x @ self.weight_ - self.bias_) ** 2))
        if np.isfinite(mse):
            return Pass(self.epochs_, mse)
        raise NumericalError(
            f"{self.name} diverged in epoch {self.epochs_}: the learning rate {self.lr:g} is too large.",
            fix=f"lr={0.5 * self.stable_lr(x):.2g}, half the largest safe one",
        )

    def epoch(self, x: NDArray[np.float64], t: NDArray[np.float64]) -> None:
        """Change the weights by one pass over the examples."""
        raise NotImplementedError

    def stable_lr(self, x: NDArray[np.float64]) -> float:
        """A learning rate below which the rule cannot diverge on these inputs."""
        raise NotImplementedError


class Adaline(LeastMeanSquares):
    """ADALINE with the least-mean-squares rule, example by example.

        e = t − (w·x + b),   w ← w + η e x,   b ← b + η e        (t = ±1)

    Unlike the perceptron it learns from right answers too, until scores equal targets: the error is that
    of the score, before the threshold. With a constant η it ends near the least-squares solution, at a
    distance of order η, and at it where all errors can be zero. It cannot diverge for η < 2 / max(‖x‖² + 1).
    The factor 2 of the gradient of e² is in η. Labels are 0/1 or ±1; order as given, or shuffled by `seed`.

    Widrow & Hoff (1960), IRE WESCON Convention Record 4, 96-104; named in 004 §2.2.1.

    >>> gate = Adaline(lr=0.05).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])
    >>> gate.predict([[0, 0], [0, 1], [1, 0], [1, 1]])
    array([0, 0, 0, 1])
    """

    def __init__(self, *, lr: float = 0.01, max_epochs: int = 1000, tol: float = 1e-8, seed: int | None = None) -> None:
        super().__init__(lr=lr, max_epochs=max_epochs, tol=tol)
        self.seed = seed

    def epoch(self, x: NDArray[np.float64], t: NDArray[np.float64]) -> None:
        """Correct by each example's error in turn."""
        for i in visiting_order(len(x), self.seed, self.epochs_):
            error = t[i] - (x[i] @ self.weight_ + self.bias_)
            self.weight_ = self.weight_ + self.lr * error * x[i]
            self.bias_ += float(self.lr * error)

    def stable_lr(self, x: NDArray[np.float64]) -> float:
        """2 / max(‖x‖² + 1): each correction then brings its own example's error nearer to zero."""
        return float(2 / ((x * x).sum(axis=1) + 1).max())


class BatchAdaline(LeastMeanSquares):
    """ADALINE with the least-mean-squares rule averaged over all examples: gradient descent on half the MSE.

        e = t − (X w + b),   w ← w + η Xᵀe / n,   b ← b + η mean(e)        (t = ±1)

    It ends at the least-squares solution for every η < `largest_stable_lr(x)`, and slowly where inputs differ
    much in scale: standardise them. Widrow & Hoff (1960); named in 004 §2.2.1.

    >>> gate = BatchAdaline(lr=0.5).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])
    >>> gate.weight_.round(4), round(gate.bias_, 4), gate.converged_
    (array([1., 1.]), -1.5, True)
    """

    def __init__(self, *, lr: float = 0.1, max_epochs: int = 10_000, tol: float = 1e-10) -> None:
        super().__init__(lr=lr, max_epochs=max_epochs, tol=tol)

    def epoch(self, x: NDArray[np.float64], t: NDArray[np.float64]) -> None:
        """Correct once, by the mean over all examples."""
        error = t - (x @ self.weight_ + self.bias_)
        self.weight_ = self.weight_ + self.lr * (error @ x) / len(x)
        self.bias_ += float(self.lr * error.mean())

    def stable_lr(self, x: NDArray[np.float64]) -> float:
        """2 / λ of `largest_stable_lr`."""
        return largest_stable_lr(x)


def largest_stable_lr(x: ArrayLike) -> float:
    """The learning rate at which `BatchAdaline` starts to diverge on inputs (examples, features).

        2 / λ,   λ the largest eigenvalue of X̃ᵀX̃ / n,   X̃ = [X, 1]

    Raises:
        ShapeError: x has not two axes.
        DataError: no examples, or a number that is not finite.

    >>> round(largest_stable_lr([[1.0], [-1.0]]), 6)
    2.0
    """
    inputs = checked_inputs("largest_stable_lr", x)
    augmented = np.column_stack([inputs, np.ones(len(inputs))])
    return float(2 * len(inputs) / np.linalg.norm(augmented, 2) ** 2)
