"""Who looks at whom: attention weights as maps, one a head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chainrule.base.errors import OptionError, ShapeError
from chainrule.glass.drawing.sheet import Path, Sheet, finite

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 4

NAMED = 24
"""Positions that are named; of more, some."""


def attention(
    weights: Any, queries: Sequence[str] | None = None, keys: Sequence[str] | None = None, path: Path | None = None
) -> Figure:
    """Attention weights of one sequence: a panel a head, a row a query, a column a key; dark is much.

    Args:
        weights: (heads, queries, keys), (queries, keys), or either with a batch axis of 1 before it.
        queries: names of the rows, such as tokens.
        keys: names of the columns; those of the rows where none are given.
        path: where the picture is saved, .png or .svg.

    Raises:
        ShapeError: the weights have other axes.
        DataError: a weight is not finite.
        OptionError: there are not as many names as rows or columns, or the path ends otherwise.
    """
    w = finite("Attention", weights)
    shape = w.shape
    w = w[0] if w.ndim == 4 and len(w) == 1 else w
    w = w[None] if w.ndim == 2 else w
    if w.ndim != 3:
        raise ShapeError(
            f"draw.attention shows one sequence (heads, queries, keys), got shape {shape}.", fix="weights[0]"
        )
    heads, n_queries, n_keys = w.shape
    keys = queries if keys is None and n_queries == n_keys else keys
    columns = min(heads, COLUMNS)
    sheet = Sheet(path, -(-heads // columns), columns, 3.0, 3.0)
    shades: Any = None
    for axis, head in zip(sheet.panels.flat, range(heads), strict=False):
        shades = axis.imshow(w[head], cmap="Blues", vmin=0, vmax=max(float(w.max()), 1e-12), aspect="auto")
        axis.set_title(f"head {head}", fontsize=9)
        _name(axis.yaxis, axis.set_yticks, "query", queries, n_queries)
        _name(axis.xaxis, axis.set_xticks, "key", keys, n_keys, rotation=90)
        axis.set_xlabel("key")
        axis.set_ylabel("query")
    for axis in list(sheet.panels.flat)[heads:]:
        axis.set_axis_off()
    sheet.figure.colorbar(shades, ax=sheet.panels, label="weight", shrink=0.8)
    return sheet.done()


def _name(wholes: Any, ticks: Any, what: str, names: Sequence[str] | None, n: int, **turned: Any) -> None:
    """Ticks with names, or whole numbers where there are none."""
    from matplotlib.ticker import MaxNLocator

    if names is None:
        wholes.set_major_locator(MaxNLocator(integer=True))
        return
    if len(names) != n:
        raise OptionError(f"Axis {what!r} has {n} positions, but {len(names)} names were given.")
    every = -(-n // NAMED)
    ticks(range(0, n, every), [str(name) for name in names][::every], fontsize=8, parse_math=False, **turned)
