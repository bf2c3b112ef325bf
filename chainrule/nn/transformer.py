"""The layers of a transformer and their stacks, with PyTorch's names. Vaswani et al. (2017), §3.1; 000 §18.4.

Masks are those of `MultiheadAttention`: True means ignore. Sequences are (n, T, d_model) or (T, d_model), or with
`batch_first=False`, which is PyTorch's default but not ours, (T, n, d_model).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from chainrule.base.errors import OptionError
from chainrule.nn.attention import MultiheadAttention
from chainrule.nn.dropout import Dropout
from chainrule.nn.feed_forward import function
from chainrule.nn.linear import Linear
from chainrule.nn.module import Module
from chainrule.nn.norms import LayerNorm


class TransformerEncoderLayer(Module):
    """Self-attention, then a feed-forward block, each around a shortcut with a norm.

        post-norm   x ← norm(x + f(x))       as published; 000 §18.4, 002 A.23
        pre-norm    x ← x + f(norm(x))       `norm_first=True`; 003 §17.7; trains without warm-up

    `activation` is relu, gelu, gelu_tanh, silu or a function. Xiong et al. (2020) compare the two orders.

    Raises:
        OptionError: nhead does not divide d_model, or there is no such activation.
        ShapeError: as `MultiheadAttention`.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = True,
        norm_first: bool = False,
    ) -> None:
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first)
        self.linear1, self.dropout = Linear(d_model, dim_feedforward), Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model)
        self.norm1, self.norm2 = LayerNorm(d_model, layer_norm_eps), LayerNorm(d_model, layer_norm_eps)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.norm_first, self.activation = norm_first, function(activation)

    def forward(
        self,
        src: Any,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
        cache: Any = None,
    ) -> Any:
        """The layer on a sequence; `cache` as in `MultiheadAttention`."""

        def attend(x: Any) -> Any:
            return self.dropout1(
                self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal, cache=cache)[0]
            )

        x = _around(src, attend, self.norm1, self.norm_first)
        return _around(x, self._feed_forward, self.norm2, self.norm_first)

    def _feed_forward(self, x: Any) -> Any:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerDecoderLayer(Module):
    """Self-attention, attention to the encoder's result, a feed-forward block, each around a shortcut with a norm.

    Raises:
        OptionError: nhead does not divide d_model, or there is no such activation.
        ShapeError: as `MultiheadAttention`.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = True,
        norm_first: bool = False,
    ) -> None:
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first)
        self.linear1, self.dropout = Linear(d_model, dim_feedforward), Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model)
        self.norm1, self.norm2, self.norm3 = (LayerNorm(d_model, layer_norm_eps) for _ in range(3))
        self.dropout1, self.dropout2, self.dropout3 = (Dropout(dropout) for _ in range(3))
        self.norm_first, self.activation = norm_first, function(activation)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
        cache: Any = None,
    ) -> Any:
        """The layer on a sequence, with the encoder's `memory`; `cache` as in `MultiheadAttention`."""

        def attend(x: Any) -> Any:
            y = self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal, cache=cache)
            return self.dropout1(y[0])

        def look_up(x: Any) -> Any:
            y = self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask, is_causal=memory_is_causal
            )
            return self.dropout2(y[0])

        x = _around(tgt, attend, self.norm1, self.norm_first)
        x = _around(x, look_up, self.norm2, self.norm_first)
        return _around(x, self._feed_forward, self.norm3, self.norm_first)

    def _feed_forward(self, x: Any) -> Any:
        return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))


def _around(x: Any, f: Callable[[Any], Any], norm: Module, norm_first: bool) -> Any:
    return x + f(norm(x)) if norm_first else norm(x + f(x))


class TransformerEncoder(Module):
    """`num_layers` copies of an encoder layer, one after another, and a last norm, which pre-norm layers need.

    The copies start from the same weights, as PyTorch's do.

    Raises:
        OptionError: there is no layer.
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self.layers, self.norm = _copies(encoder_layer, num_layers), norm

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False, caches: Any = None
    ) -> Any:
        """All layers on a sequence; `caches`, one a layer, as in `MultiheadAttention`."""
        for layer, cache in zip(self.layers, caches or [None] * len(self.layers), strict=True):
            src = layer(src, mask, src_key_padding_mask, is_causal, cache)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """`num_layers` copies of a decoder layer, one after another, and a last norm, which pre-norm layers need.

    Raises:
        OptionError: there is no layer.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self.layers, self.norm = _copies(decoder_layer, num_layers), norm

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
        caches: Any = None,
    ) -> Any:
        """All layers on a sequence, each with the same memory; `caches`, one a layer."""
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        for layer, cache in zip(self.layers, caches or [None] * len(self.layers), strict=True):
            tgt = layer(tgt, memory, *masks, tgt_is_causal, memory_is_causal, cache)
        return tgt if self.norm is None else self.norm(tgt)


def _copies(layer: Module, n: int) -> list[Module]:
    if n < 1:
        raise OptionError(f"A stack has one layer or more, got {n}.")
    return [copy.deepcopy(layer) for _ in range(n)]
