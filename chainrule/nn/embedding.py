"""Rows that stand for tokens, and rows that stand for places."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import ops
from chainrule.backends import kind_of
from chainrule.base.errors import DtypeError, OptionError, ShapeError
from chainrule.nn import init
from chainrule.nn.dropout import Dropout
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter
from chainrule.nn.sizes import check_whole


class Embedding(Module):
    """A learned row for each id of a vocabulary: y = W[ids], a dense layer on one-hot rows. 000 §17.1.

    Shapes: ids (…) integers, result (…, embedding_dim), weight (num_embeddings, embedding_dim). Rows start from
    a standard normal; that of `padding_idx` starts at 0, gets no gradient and stays what it is.

    `logits(h)` = h Wᵀ scores hidden states against the same rows: tied output weights (Press & Wolf 2017; with W of
    shape (vocabulary, width) the output layer is W itself, not Wᵀ as 003 §17.8 has it). A head of its own is
    tied by `head.weight = embedding.weight`, as Linear(embedding_dim, num_embeddings, bias=False).

    Raises:
        OptionError: a size is less than 1, or padding_idx is no id.
        DtypeError: ids are no integers.
        DataError: an id is outside of the vocabulary.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None) -> None:
        check_whole("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if num_embeddings < 1 or embedding_dim < 1:
            raise OptionError(f"Embedding needs sizes of 1 or more, got Embedding({num_embeddings}, {embedding_dim}).")
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise OptionError(f"padding_idx is one of {num_embeddings} ids, got {padding_idx}.")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        weight = init.draw(init.normal(1.0), (num_embeddings, embedding_dim))
        if self.padding_idx is not None:
            weight[self.padding_idx] = 0
        self.weight = Parameter(weight)

    def forward(self, ids: Any) -> Any:
        """The row of each id."""
        y = ops.embedding(ids, self.weight)
        if self.padding_idx is None:
            return y
        padding = ops.stop_gradient(self.weight[self.padding_idx])
        return ops.where(ops.expand_dims(ops.equal(ids, self.padding_idx), -1), padding, y)

    def logits(self, h: Any) -> Any:
        """h Wᵀ: a score of each hidden state (…, embedding_dim) for each id. Shape (…, num_embeddings)."""
        return ops.affine(h, self.weight)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class PositionalEncoding(Module):
    """Adds sine and cosine waves of the place: y = dropout(x + PE). 000 (18.11)-(18.12); `ops.sinusoidal_positions`.

    Shapes: x and y (…, T, d_model).

    Raises:
        OptionError: d_model is odd.
        ShapeError: x is no sequence of d_model features.
    """

    def __init__(self, d_model: int, dropout: float = 0.0) -> None:
        self.d_model, self.dropout = d_model, Dropout(dropout)
        self._waves = ops.sinusoidal_positions(1, d_model, dtype=np.float64)

    def forward(self, x: Any) -> Any:
        """X + PE, in training with entries dropped."""
        length = _length("PositionalEncoding", x, self.d_model)
        if length > len(self._waves):
            self._waves = ops.sinusoidal_positions(2 * length, self.d_model, dtype=np.float64)
        return self.dropout(x + self._waves[:length].astype(x.dtype))

    def extra_repr(self) -> str:
        return str(self.d_model)


class LearnedPositions(Module):
    """Adds a learned row for each place: y = x + P[0 … T − 1], as GPT-2 and BERT do.

    Shapes: x and y (…, T, d_model), weight (max_len, d_model), which starts normal with σ = 0.02 (GPT-2).
    `offset` is the place of the first row of x, as with a cache.

    Raises:
        OptionError: a size is less than 1.
        ShapeError: x is no sequence of d_model features, or is longer than max_len.
    """

    def __init__(self, max_len: int, d_model: int) -> None:
        if max_len < 1 or d_model < 1:
            raise OptionError(f"LearnedPositions needs sizes of 1 or more, got {max_len} and {d_model}.")
        self.max_len, self.d_model = max_len, d_model
        self.weight = Parameter(init.draw(init.normal(0.02), (max_len, d_model)))

    def forward(self, x: Any, offset: int = 0) -> Any:
        """The rows of the places, added to x."""
        last = offset + _length("LearnedPositions", x, self.d_model)
        if last > self.max_len:
            raise ShapeError(
                f"LearnedPositions knows {self.max_len} places, the sequence reaches {last}.",
                input=x.shape,
                fix=f"LearnedPositions({last}, {self.d_model}), or a shorter sequence",
            )
        return x + self.weight[offset:last]

    def extra_repr(self) -> str:
        return f"{self.max_len}, {self.d_model}"


def _length(name: str, x: Any, d_model: int) -> int:
    if len(x.shape) < 2 or x.shape[-1] != d_model:
        fix = (
            "an Embedding before it (these are ids)"
            if kind_of(x) in "iu"
            else f"{name} for {x.shape[-1] if x.shape else 1} features"
        )
        kind = DtypeError if kind_of(x) in "iu" else ShapeError
        raise kind(f"{name} expects (…, T, {d_model}), got {tuple(x.shape)}.", input=x.shape, fix=fix)
    return x.shape[-2]
