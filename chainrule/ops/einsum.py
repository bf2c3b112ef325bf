"""Sums of products by Einstein's convention: axes are letters, letters not in the result are summed over.

Two operands are contracted by one primitive that is a batched matrix product; its adjoint in each operand is
the same contraction with the letters exchanged.
"""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backends import into, xp
from chainrule.base.errors import OptionError, ShapeError
from chainrule.core.families import multilinear
from chainrule.core.vocabulary import words
from chainrule.ops.diagonals import diagonal
from chainrule.ops.operands import operand, promote
from chainrule.ops.reductions import sum

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _terms(letters: str) -> tuple[str, str, str]:
    a, _, rest = letters.partition(",")
    b, _, result = rest.partition("->")
    return a, b, result


def _kinds(letters: str) -> tuple[str, str, str, str]:
    """Letters shared and kept, of a only, of b only, and summed over."""
    a, b, result = _terms(letters)
    batch = "".join(k for k in a if k in b and k in result)
    return (
        batch,
        "".join(k for k in a if k not in b),
        "".join(k for k in b if k not in a),
        "".join(k for k in a if k in b and k not in result),
    )


@multilinear
def contract(a: Any, b: Any, *, letters: str, out: Any = None) -> Any:
    """Σ over the letters that both share and the result lacks: "ij,jk->ik" is a matrix product."""
    first, second, result = _terms(letters)
    batch, rows, columns, summed = _kinds(letters)
    sizes = dict(zip(first + second, a.shape + b.shape, strict=True))

    def as_matrices(x: Any, order: str, left: str, right: str) -> Any:
        x = xp(x).transpose(x, [order.index(k) for k in batch + left + right])
        shape = [sizes[k] for k in batch]
        return xp(x).reshape(x, (*shape, prod(sizes[k] for k in left), prod(sizes[k] for k in right)))

    y = xp(a).matmul(as_matrices(a, first, rows, summed), as_matrices(b, second, summed, columns))
    found = batch + rows + columns
    y = xp(y).reshape(y, tuple(sizes[k] for k in found))
    return into(out, xp(y).transpose(y, [found.index(k) for k in result]))


def _contracted_shape(a: Any, b: Any, *, letters: str) -> tuple[int, ...]:
    first, second, result = _terms(letters)
    sizes = _letter_sizes([first, second], [a.shape, b.shape], letters)
    return tuple(sizes[k] for k in result)


def _letter_sizes(terms: list[str], shapes: list[tuple[int, ...]], letters: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for k, n in zip(term, shape, strict=True):
            if sizes.setdefault(k, n) != n:
                raise ShapeError(
                    f"Axis {k!r} of {letters!r} has the sizes {sizes[k]} and {n}.",
                    shapes=" and ".join(str(tuple(s)) for s in shapes),
                )
    return sizes


def _contract_each(size: int, args: Any, flags: Any, letters: str) -> Any:
    first, second, result = _terms(letters)
    new = next(k for k in LETTERS if k not in letters)
    first, second = (new * f + term for f, term in zip(flags, (first, second), strict=True))
    return contract(*args, letters=f"{first},{second}->{new}{result}")


def _contract_cost(y: Any, a: Any, b: Any, *, letters: str) -> float:
    first = _terms(letters)[0]
    return 2 * y.size * prod(a.shape[first.index(k)] for k in _kinds(letters)[3])


def _exchanged(letters: str, other: int, wanted: int) -> str:
    terms = _terms(letters)
    return f"{terms[2]},{terms[other]}->{terms[wanted]}"


contract.adjoints(
    lambda y_bar, a, b, *, letters: contract(y_bar, b, letters=_exchanged(letters, 1, 0)),
    lambda y_bar, a, b, *, letters: contract(y_bar, a, letters=_exchanged(letters, 0, 1)),
)
contract.shape(_contracted_shape)
contract.batching(lambda size, args, flags, *, letters: _contract_each(size, args, flags, letters))
contract.cost(_contract_cost)
contract.formula(
    r"y_{ik} = \sum_j a_{ij} b_{jk}",
    r"\bar a_{ij} = \sum_k \bar y_{ik} b_{jk}",
    r"\bar b_{jk} = \sum_i a_{ij} \bar y_{ik}",
)


@words.define
def einsum(letters: str, *operands: Any) -> Any:
    """A sum of products: each operand's axes are named by letters, letters missing in the result are summed over.

    "ij,jk->ik" matrix product, "ii->i" diagonal, "ii" trace, "bhqd,bhkd->bhqk" attention scores. Without "->"
    the result has the letters that occur once, in alphabetical order. "..." stands for further axes, which
    broadcast. Several operands are contracted two at a time, in the order that costs least at each step.

    Raises:
        OptionError: the letters cannot be read, or name more or fewer operands.
        ShapeError: an operand has another number of axes, or a letter two sizes.

    >>> import numpy as np
    >>> einsum("ij,j->i", np.eye(2), np.array([1.0, 2.0]))
    array([1., 2.])
    """
    xs = [operand(x) for x in operands]
    dtype = promote(*(x.dtype for x in xs)) if xs else None
    xs = [x if x.dtype == dtype else words.astype(x, dtype) for x in xs]
    terms, result = _read(letters, xs)
    xs, terms = _without_repeated(xs, terms)
    xs, terms = _without_stretched(xs, terms, letters)
    _letter_sizes(terms, [tuple(x.shape) for x in xs], letters)
    while len(xs) > 1:
        i, j = _cheapest(xs, terms)
        others = [k for k in range(len(xs)) if k not in (i, j)]
        kept = set(result).union(*(terms[k] for k in others))
        y, term = _pair(xs[i], terms[i], xs[j], terms[j], kept)
        xs, terms = [*(xs[k] for k in others), y], [*(terms[k] for k in others), term]
    return _arranged(xs[0], terms[0], result)


def _read(letters: str, xs: list[Any]) -> tuple[list[str], str]:
    """Terms and result with a letter for every axis; capital letters beyond those used stand for `...`."""
    text = letters.replace(" ", "")
    left, arrow, result = text.partition("->")
    terms = left.split(",")
    used = set(text) - set(",->.")
    if not used <= set(LETTERS) or text.replace("...", "").count("."):
        raise OptionError(f"The letters {letters!r} cannot be read.", fix='"ij,jk->ik"')
    if len(terms) != len(xs) or not xs:
        raise OptionError(f"The letters {letters!r} name {len(terms)} operands, the call has {len(xs)}.")
    free = [k for k in reversed(LETTERS) if k not in used]
    gaps = [_gap(term, x, letters) for term, x in zip(terms, xs, strict=True)]
    dots = "".join(reversed(free[: max(gaps)]))
    terms = [t.replace("...", dots[len(dots) - gap :]) for t, gap in zip(terms, gaps, strict=True)]
    if arrow:
        result = result.replace("...", dots)
    else:
        once = sorted(k for k in used if "".join(terms).count(k) == 1)
        result = (dots if "..." in left else "") + "".join(once)
    if len(set(result)) < len(result) or not set(result) <= set("".join(terms)):
        raise OptionError(f"The result of {letters!r} names a letter twice, or one that no operand has.")
    return terms, result


def _gap(term: str, x: Any, letters: str) -> int:
    named = len(term.replace("...", ""))
    gap = len(x.shape) - named
    if gap < 0 or (gap and "..." not in term):
        raise ShapeError(f"{term!r} in {letters!r} names {named} axes, the operand has shape {tuple(x.shape)}.")
    return gap


def _without_repeated(xs: list[Any], terms: list[str]) -> tuple[list[Any], list[str]]:
    """Operands with a letter twice, cut down to their diagonals."""
    for n, term in enumerate(terms):
        while len(set(term)) < len(term):
            k = next(k for k in term if term.count(k) > 1)
            first = term.index(k)
            second = term.index(k, first + 1)
            sizes = xs[n].shape[first], xs[n].shape[second]
            if sizes[0] != sizes[1]:
                raise ShapeError(f"Axis {k!r} is named twice, but has the sizes {sizes[0]} and {sizes[1]}.")
            xs[n] = diagonal(xs[n], 0, first, second)
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + k
        terms[n] = term
    return xs, terms


def _without_stretched(xs: list[Any], terms: list[str], letters: str) -> tuple[list[Any], list[str]]:
    """Axes under `...` of size 1 left out where another operand has more there: a product repeats them."""
    named = set(letters)
    for n, term in enumerate(terms):
        for k in term:
            largest = max(x.shape[t.index(k)] for x, t in zip(xs, terms, strict=True) if k in t)
            at = terms[n].index(k)
            if k not in named and xs[n].shape[at] == 1 and largest != 1:
                xs[n] = words.squeeze(xs[n], at)
                terms[n] = terms[n].replace(k, "")
    return xs, terms


def _cheapest(xs: list[Any], terms: list[str]) -> tuple[int, int]:
    """The pair whose product has the fewest multiplications."""
    sizes = {k: n for x, term in zip(xs, terms, strict=True) for k, n in zip(term, x.shape, strict=True)}
    pairs = [(i, j) for i in range(len(xs)) for j in range(i + 1, len(xs))]
    return min(pairs, key=lambda pair: prod(sizes[k] for k in set(terms[pair[0]] + terms[pair[1]])))


def _pair(a: Any, first: str, b: Any, second: str, kept: set[str]) -> tuple[Any, str]:
    """The product of two operands, summed over all letters that nothing else needs."""
    a, first = _summed(a, first, kept | set(second))
    b, second = _summed(b, second, kept | set(first))
    result = "".join(k for k in dict.fromkeys(first + second) if k in kept)
    return contract(a, b, letters=f"{first},{second}->{result}"), result


def _summed(x: Any, term: str, kept: set[str]) -> tuple[Any, str]:
    axes = tuple(i for i, k in enumerate(term) if k not in kept)
    return (sum(x, axes), "".join(k for k in term if k in kept)) if axes else (x, term)


def _arranged(x: Any, term: str, result: str) -> Any:
    x, term = _summed(x, term, set(result))
    return x if term == result else words.reordered(x, [term.index(k) for k in result])


@words.define
def tensordot(a: Any, b: Any, axes: int | tuple[Any, Any] = 2) -> Any:
    """Σ over the last `axes` axes of a and the first of b, or over two lists of axes, as NumPy's.

    Raises:
        ShapeError: the sizes of two axes summed together differ.
    """
    a, b = operand(a), operand(b)
    ndim = len(a.shape)
    if isinstance(axes, int):
        axes = list(range(ndim - axes, ndim)), list(range(axes))
    ours, theirs = ([k] if isinstance(k, int) else list(k) for k in axes)
    first, second = list(LETTERS[:ndim]), list(LETTERS[ndim : ndim + len(b.shape)])
    for i, j in zip(ours, theirs, strict=True):
        second[j] = first[i]
    result = [k for k in first if k not in second] + [k for k in second if k not in first]
    return einsum(f"{''.join(first)},{''.join(second)}->{''.join(result)}", a, b)


__all__ = ["contract", "einsum", "tensordot"]
