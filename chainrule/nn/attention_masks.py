"""PyTorch's masks of layers, in which True means ignore, as masks of scores, in which True means attend."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import ops
from chainrule.backends import kind_of, looked_at
from chainrule.base.errors import DtypeError, OptionError, ShapeError
from chainrule.core.deferred import deferred
from chainrule.core.spec import Spec
from chainrule.core.vocabulary import words


def kept(attn_mask: Any, key_padding_mask: Any, q: tuple[int, ...], keys: int) -> Any:
    """One mask for scores (…, heads, T, S) from the two of a layer: boolean where both are, else to be added.

    Raises:
        ShapeError: a mask does not fit.
        DtypeError: a mask is neither boolean nor floating-point.
        OptionError: a query is told to ignore every key.
    """
    *lead, heads, queries, _ = q
    masks = []
    if attn_mask is not None:
        _check_kind("attn_mask", attn_mask)
        masks.append(_of_scores(attn_mask, tuple(lead), heads, queries, keys))
        _refuse_blind_rows(attn_mask)
    if key_padding_mask is not None:
        _check_kind("key_padding_mask", key_padding_mask)
        masks.append(_of_keys(key_padding_mask, tuple(lead), keys))
    if not masks:
        return None
    masks = [ops.logical_not(m) if kind_of(m) == "b" else m for m in masks]
    if len(masks) == 1:
        return masks[0]
    if all(kind_of(m) == "b" for m in masks):
        return ops.logical_and(*masks)
    floats = next(m.dtype for m in masks if kind_of(m) == "f")
    first, second = (ops.additive_mask(m, floats) if kind_of(m) == "b" else m for m in masks)
    return first + second


def _check_kind(name: str, mask: Any) -> None:
    if kind_of(mask) not in "bf":
        raise DtypeError(
            f"{name} is boolean (True ignores) or floating-point (added to the scores), got {mask.dtype}.",
            mask=f"shape {tuple(mask.shape)}",
            fix="mask == 0, if 1 means attend, as in tokenizers' attention_mask",
        )


def _of_scores(mask: Any, lead: tuple[int, ...], heads: int, queries: int, keys: int) -> Any:
    """(T, S), (heads, T, S) or (n · heads, T, S) as what repeats to (n, heads, T, S)."""
    shape = tuple(mask.shape)
    if shape[-2:] == (queries, keys) and len(shape) == 2:
        return mask
    if shape[-2:] == (queries, keys) and len(shape) == 3 and shape[0] in (heads, heads * (lead or (1,))[0]):
        return ops.reshape(mask, *lead, heads, queries, keys) if shape[0] != heads else mask
    several = heads * (lead or (1,))[0]
    raise ShapeError(
        f"attn_mask is ({queries}, {keys}), a row for each query, or ({several}, {queries}, {keys}); got {shape}.",
        fix="key_padding_mask, for which keys of each sequence are padding"
        if shape == (*lead, keys)
        else "a mask of these sizes",
    )


def _of_keys(mask: Any, lead: tuple[int, ...], keys: int) -> Any:
    """(n, S) as (n, 1, 1, S)."""
    shape = tuple(mask.shape)
    if shape != (*lead, keys):
        raise ShapeError(
            f"key_padding_mask has an entry for each key, {(*lead, keys)}; got {shape}.",
            fix=_keys_advice(shape, (*lead, keys)),
        )
    return ops.reshape(mask, *lead, 1, 1, keys)


def _keys_advice(shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if len(wanted) == 2 and shape == wanted[::-1] and shape != wanted:
        return "the other setting of batch_first: sequence and batch look swapped; or the mask's .T"
    return "attn_mask, for which queries see which keys" if len(shape) == 2 else "~cr.padding_mask(lengths)"


def _refuse_blind_rows(mask: Any) -> None:
    """A boolean mask that hides all keys from a query was most often meant the other way round."""
    if kind_of(mask) == "b" and deferred(_refuse_blind_rows, mask):
        return
    values = words.all_values(mask)
    values = None if isinstance(values, Spec) or kind_of(mask) != "b" else looked_at(values)
    if values is None or not values.size:
        return
    blind = values.all(-1)
    if blind.any():
        place = tuple(int(i) for i in np.argwhere(blind)[0])
        raise OptionError(
            f"attn_mask tells query {place[-1]} to ignore every key: True means ignore here, as in PyTorch.",
            fix="~mask (masks of cr.scaled_dot_product_attention say True for attend)",
        )
