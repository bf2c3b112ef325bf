"""Linear attention: the exponential of a score replaced by a product of features, so that time grows as T."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.backends import dtype_of
from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.vocabulary import words
from chainrule.ops.activations import elu, relu
from chainrule.ops.attention import arranged
from chainrule.ops.indexing import index
from chainrule.ops.linear_algebra import matmul
from chainrule.ops.masks import band_mask
from chainrule.ops.shapes import concatenate, matrix_transpose, reshape

CHUNK = 64
"""Within so many positions pairs are compared one by one, for causality; across them only sums are kept."""

FEATURES: dict[str, Callable[[Any], Any]] = {"elu": lambda x: elu(x) + 1, "relu": relu}
"""Feature maps by name: elu(x) + 1 > 0 (Katharopoulos et al. 2020, (7)), and relu(x) ≥ 0."""


@words.define
def linear_attention(
    q: Any, k: Any, v: Any, causal: bool = False, features: str | Callable[[Any], Any] = "elu", eps: float = 1e-6
) -> Any:
    """yᵢ = φ(qᵢ)ᵀ Σⱼ φ(kⱼ) vⱼᵀ / (φ(qᵢ)ᵀ Σⱼ φ(kⱼ) + ε), j ≤ i where `causal`. Katharopoulos et al. (2020), (5)-(9).

    The sums over keys do not depend on the query, so T queries and S keys take (T + S) · d · v operations in
    place of T · S · (d + v). Shapes: q (…, T, d), k (…, S, d), v (…, S, v), result (…, T, v). φ is a name ("elu":
    elu(x) + 1, "relu") or any function from (…, d) to entries ≥ 0; ε keeps a row whose features are all 0 finite.

    Raises:
        OptionError: no feature map has this name.
        ShapeError: widths or lengths do not fit; causal, and there are not as many keys as queries.
    """
    if isinstance(features, str) and features not in FEATURES:
        raise OptionError(f"There is no feature map {features!r}.", known=", ".join(FEATURES))
    phi = FEATURES[features] if isinstance(features, str) else features
    q, k, v, _, result = arranged(q, k, v, None)
    q, k = phi(q), phi(k)
    if causal and q.shape[-2] != k.shape[-2]:
        raise ShapeError(f"Causal attention pairs queries with keys, got {q.shape[-2]} and {k.shape[-2]}.")
    v = concatenate([v, np.ones((*v.shape[:-1], 1), dtype_of(v))], -1)  # the last column sums the weights
    summed = _causal_sums(q, k, v) if causal else matmul(q, matmul(matrix_transpose(k), v))
    width = v.shape[-1] - 1
    y = index(summed, (..., slice(0, width))) / (index(summed, (..., slice(width, None))) + eps)
    return reshape(y, result)


def _causal_sums(q: Any, k: Any, v: Any) -> Any:
    """Σ_{j ≤ i} (qᵢ · kⱼ) vⱼ: all pairs inside of a chunk, and for the chunks before it one sum Σ kⱼ vⱼᵀ."""
    length = q.shape[-2]
    chunk = min(CHUNK, max(1, length))
    q, k, v = (_in_chunks(x, chunk) for x in (q, k, v))  # (…, n, chunk, ·)
    n = q.shape[-3]
    inside = matmul(matmul(q, matrix_transpose(k)) * band_mask(chunk, chunk, (None, 0)).astype(q.dtype), v)
    states = matmul(matrix_transpose(k), v)  # (…, n, d, v)
    flat = reshape(states, *states.shape[:-2], states.shape[-2] * states.shape[-1])
    before = matmul(band_mask(n, n, (None, -1)).astype(q.dtype), flat)
    y = inside + matmul(q, reshape(before, *states.shape))
    y = reshape(y, *y.shape[:-3], n * chunk, y.shape[-1])
    return y if n * chunk == length else index(y, (..., slice(0, length), slice(None)))


def _in_chunks(x: Any, chunk: int) -> Any:
    """Rows (…, T, d) as (…, n, chunk, d), with rows of zeros behind where T is no multiple of the chunk."""
    missing = -x.shape[-2] % chunk
    if missing:
        x = concatenate([x, np.zeros((*x.shape[:-2], missing, x.shape[-1]), dtype_of(x))], -2)
    return reshape(x, *x.shape[:-2], x.shape[-2] // chunk, chunk, x.shape[-1])
