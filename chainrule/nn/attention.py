"""Multi-head attention as a layer, and the cache that saves its work in step-by-step decoding."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule import ops
from chainrule.backends import kind_of
from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.vocabulary import words
from chainrule.nn import init
from chainrule.nn.attention_masks import kept
from chainrule.nn.linear import Linear
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter
from chainrule.nn.sizes import nearest_divisor


class KVCache:
    """Keys and values of the positions seen so far, so that decoding step by step computes each of them once.

        cache = cr.nn.KVCache()
        for x in tokens:                                   # x (batch, 1, width)
            y, _ = attention(x, is_causal=True, cache=cache)

    One cache serves one layer and one batch of sequences. What is kept has no history.
    """

    def __init__(self) -> None:
        self.k: Any = None
        self.v: Any = None

    def __len__(self) -> int:
        return 0 if self.k is None else self.k.shape[-2]

    def append(self, k: Any, v: Any) -> tuple[Any, Any]:
        """Keep the keys and values (…, heads, T, d) of T more positions; returns those of all positions."""
        if self.k is not None:
            k, v = ops.concatenate([self.k, k], -2), ops.concatenate([self.v, v], -2)
        self.k, self.v = ops.stop_gradient(k), ops.stop_gradient(v)
        return k, v

    def clear(self) -> None:
        """Forget all positions."""
        self.k = self.v = None


class MultiheadAttention(Module):
    """Attention in `num_heads` subspaces side by side: y = W_O [head₁; …; head_h], headᵢ = softmax(QᵢKᵢᵀ/√d) Vᵢ.

    PyTorch's parameters: in_proj_weight (3 embed_dim, embed_dim) holds W_Q, W_K, W_V one under the other,
    in_proj_bias (3 embed_dim), out_proj. With `kdim` or `vdim` other than embed_dim they stand apart, as
    q_proj_weight, k_proj_weight, v_proj_weight. Shapes: query (n, T, embed_dim), key (n, S, kdim), value (n, S, vdim),
    result (n, T, embed_dim), or all without n; `batch_first=False` takes (T, n, …), which is PyTorch's default
    but not ours. Without key and value the query attends to itself.

    `num_kv_heads` heads of keys and values, each for a group of queries (Ainslie et al. 2023), make in_proj_weight
    (embed_dim + 2 num_kv_heads · d, embed_dim). `rotary` turns queries and keys by their positions.

    Masks are PyTorch's: in `attn_mask` (T, S), (n · heads, T, S) or (heads, T, S), and in `key_padding_mask` (n, S),
    True means IGNORE, the opposite of `scaled_dot_product_attention`; floats are added to the scores. In 003 §17.4
    tokens are columns, so that the projection stands on the left. Vaswani et al. (2017), §3.2.2; 000 (18.9).

    Raises:
        OptionError: num_heads does not divide embed_dim, or num_kv_heads num_heads.
        ShapeError: a width, a length or a mask does not fit.
        DtypeError: a mask is neither boolean nor floating-point.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = True,
        *,
        num_kv_heads: int | None = None,
        rotary: bool = False,
    ) -> None:
        _check_heads(embed_dim, num_heads, num_kv_heads)
        self.embed_dim, self.num_heads, self.num_kv_heads = embed_dim, num_heads, num_kv_heads or num_heads
        self.head_dim, self.dropout = embed_dim // num_heads, dropout
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.batch_first, self.rotary = batch_first, rotary
        self._make_projections(bias)
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias)
        if self.out_proj.bias is not None:
            self.out_proj.bias.assign(np.zeros(embed_dim))

    def _make_projections(self, bias: bool) -> None:
        small = self.num_kv_heads * self.head_dim
        self._sizes = (self.embed_dim, small, small)
        if self.kdim == self.vdim == self.embed_dim:
            self.in_proj_weight = Parameter(init.draw("xavier_uniform", (sum(self._sizes), self.embed_dim)))
        else:
            self.q_proj_weight = Parameter(init.draw("xavier_uniform", (self.embed_dim, self.embed_dim)))
            self.k_proj_weight = Parameter(init.draw("xavier_uniform", (small, self.kdim)))
            self.v_proj_weight = Parameter(init.draw("xavier_uniform", (small, self.vdim)))
        self.in_proj_bias = Parameter(np.zeros(sum(self._sizes), np.float32)) if bias else None

    def forward(
        self,
        query: Any,
        key: Any = None,
        value: Any = None,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
        cache: KVCache | None = None,
    ) -> tuple[Any, Any]:
        """The result, and the weights (n, T, S), a mean over heads, or (n, heads, T, S), or None if not needed.

        With `cache` the query continues the sequence in it.
        """
        key = query if key is None else key
        value = key if value is None else value
        turned = not self.batch_first and len(query.shape) == 3
        q, k, v = self._heads(query, key, value, turned)  # (…, heads, T, d)
        start = 0 if cache is None else len(cache)
        if self.rotary:
            q, k = (ops.rotary(x, np.arange(start, start + x.shape[-2])) for x in (q, k))
        if cache is not None:
            k, v = cache.append(k, v)
        mask = kept(attn_mask, key_padding_mask, q.shape, k.shape[-2])
        if is_causal and start:
            mask, is_causal = _also_causal(mask, q.shape[-2], k.shape[-2], start), False
        y, weights = self._attend(q, k, v, mask, is_causal, need_weights)
        y = self.out_proj(_joined(y))
        if weights is not None and average_attn_weights:
            weights = ops.mean(weights, -3)
        return ops.transpose(y, 1, 0, 2) if turned else y, weights

    def _attend(self, q: Any, k: Any, v: Any, mask: Any, causal: bool, need_weights: bool) -> tuple[Any, Any]:
        dropout = self.dropout if self.training else 0.0
        if not need_weights:
            return ops.scaled_dot_product_attention(q, k, v, mask, causal, dropout=dropout), None
        groups = self.num_heads // self.num_kv_heads
        k, v = (ops.repeat(x, groups, axis=-3) if groups > 1 else x for x in (k, v))
        weights = ops.attention_weights(ops.dot_scores(q, k), mask, causal, self.head_dim**-0.5)
        weights = ops.dropout(weights, dropout) if dropout else weights
        return ops.matmul(weights, v), weights

    def _heads(self, query: Any, key: Any, value: Any, turned: bool) -> Any:
        """Queries, keys and values by head, projected together where they are of the same thing."""
        same = query is key is value
        given = [query] if same else [query, key, value]
        self._check(given, same)
        given = [ops.transpose(x, 1, 0, 2) if turned else x for x in given]
        heads = (self.num_heads, self.num_kv_heads, self.num_kv_heads)
        if same and "in_proj_weight" in vars(self):
            qkv = ops.affine(given[0], self.in_proj_weight, self.in_proj_bias)
            if heads[0] == heads[1]:
                return ops.unstack(_apart(ops.reshape(qkv, *qkv.shape[:-1], 3, -1, self.head_dim)), 0)
            parts = ops.split(qkv, self._sizes, axis=-1)
        else:
            given = given * 3 if same else given
            parts = [ops.affine(x, w, b) for x, w, b in zip(given, *self._projections(), strict=True)]
        return [_by_head(x, n) for x, n in zip(parts, heads, strict=True)]

    def _projections(self) -> tuple[Any, Any]:
        biases = (None,) * 3 if self.in_proj_bias is None else ops.split(self.in_proj_bias, self._sizes, axis=0)
        if "in_proj_weight" in vars(self):
            return ops.split(self.in_proj_weight, self._sizes, axis=0), biases
        return (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight), biases

    def _check(self, given: list[Any], same: bool) -> None:
        names, widths = ("query", "key", "value"), (self.embed_dim, self.kdim, self.vdim)
        given = given * 3 if same else given
        for name, x, width in zip(names, given, widths, strict=True):
            if len(x.shape) not in (2, 3) or x.shape[-1] != width or len(x.shape) != len(given[0].shape):
                raise ShapeError(
                    f"MultiheadAttention expects the {name} as (n, T, {width}) or (T, {width}), got {tuple(x.shape)}.",
                    **{n: tuple(g.shape) for n, g in zip(names, given, strict=True)},
                    fix=_width_advice(name, x, width),
                )
        time = -2 if self.batch_first or len(given[0].shape) == 2 else 0
        if given[1].shape[time] != given[2].shape[time]:
            raise ShapeError(
                f"Each key has a value: got {given[1].shape[time]} keys and {given[2].shape[time]} values.",
                **{n: tuple(g.shape) for n, g in zip(names, given, strict=True)},
            )
        batch = 0 if self.batch_first else 1
        if len({x.shape[batch] for x in given}) > 1 and len(given[0].shape) == 3:
            raise ShapeError(
                f"Query, key and value have different numbers of sequences: {[x.shape[batch] for x in given]}.",
                **{n: tuple(g.shape) for n, g in zip(names, given, strict=True)},
                fix="batch_first=False, if the first axis is time" if self.batch_first else "batch_first=True",
            )

    def extra_repr(self) -> str:
        return f"{self.embed_dim}, {self.num_heads}"

    def __repr__(self) -> str:
        shared = "" if self.num_kv_heads == self.num_heads else f", {self.num_kv_heads} of keys and values"
        return f"MultiheadAttention({self.embed_dim}, {self.num_heads} heads{shared})"


def _check_heads(width: int, heads: int, kv_heads: int | None) -> None:
    if width < 1 or heads < 1 or width % heads:
        divisors = [n for n in range(1, max(1, width) + 1) if width > 0 and width % n == 0]
        near = sorted(divisors, key=lambda n: (abs(n - heads), n))[:2]
        raise OptionError(
            f"MultiheadAttention shares {width} features among {heads} heads, which does not come out even.",
            fix=" or ".join(f"num_heads={n}" for n in sorted(near)) or "sizes of 1 or more",
        )
    if kv_heads is not None and (kv_heads < 1 or heads % kv_heads):
        raise OptionError(
            f"{heads} heads of queries cannot share {kv_heads} heads of keys and values evenly.",
            fix=f"num_kv_heads={nearest_divisor(heads, kv_heads)}",
        )


def _width_advice(name: str, x: Any, width: int) -> str:
    if len(x.shape) in (2, 3) and name != "query":
        return f"{name[0]}dim={x.shape[-1]}"
    if len(x.shape) in (2, 3):
        return f"Linear({x.shape[-1]}, {width}) before it"
    return "an axis of time: (n, T, features)"


def _by_head(x: Any, heads: int) -> Any:
    """(…, T, heads · d) as (…, heads, T, d)."""
    return words.swapaxes(ops.reshape(x, *x.shape[:-1], heads, x.shape[-1] // heads), -2, -3)


def _apart(x: Any) -> Any:
    """(…, T, 3, heads, d) as (3, …, heads, T, d)."""
    front = len(x.shape) - 4
    return ops.transpose(x, front + 1, *range(front), front + 2, front, front + 3)


def _joined(y: Any) -> Any:
    """(…, heads, T, d) as (…, T, heads · d)."""
    y = words.swapaxes(y, -2, -3)
    return ops.reshape(y, *y.shape[:-2], prod(y.shape[-2:]))


def _also_causal(mask: Any, queries: int, keys: int, offset: int) -> Any:
    """A mask that hides what comes later too, for queries that stand behind `offset` keys of a cache."""
    if queries == 1:
        return mask
    causal = ops.causal_mask(queries, keys, offset)
    if mask is None:
        return causal
    return ops.logical_and(mask, causal) if kind_of(mask) == "b" else mask + ops.additive_mask(causal, mask.dtype)
