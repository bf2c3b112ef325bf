"""A ledger as a table: in the terminal, elided where it is long, and as a frame of pandas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.base.errors import OptionError

if TYPE_CHECKING:
    import pandas

COLUMNS = ("path", "kind", "quantity", "shape", "mean", "std", "min", "max")
LONGEST = 60  # rows: as many as a tall terminal shows


def rows(ledger: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    """Path, kind, quantity, shape, mean, standard deviation, least and largest, for every quantity."""
    for path, entry in ledger.items():
        for name, values in entry.items():
            yield (path, entry.kind, name, values.shape, *_figures(values))


def _figures(values: np.ndarray) -> tuple[float, ...]:
    if not values.size:
        return (np.nan,) * 4
    values = np.asarray(values, np.float64)
    with np.errstate(all="ignore"):
        return tuple(float(f()) for f in (values.mean, values.std, values.min, values.max))


def table(ledger: Mapping[str, Any], longest: int = LONGEST) -> str:
    """The rows in columns; where there are more than `longest`, the first and the last layers."""
    found = list(rows(ledger))
    shown, before = [], ("", "")
    for path, kind, name, shape, *figures in found:
        layer = (path or "(model)", kind)
        own = ("", "") if layer == before else layer
        before = layer
        shown.append((*own, name, " × ".join(map(str, shape)) or "1", *(f"{f:.4g}" for f in figures)))
    lines = _aligned([COLUMNS, *shown])
    if len(shown) <= longest:
        return "\n".join(lines)
    head = longest // 2 + 1
    return "\n".join(
        [*lines[:head], f"… {len(shown) - longest} rows more: ledger.frame()", *lines[head - 1 - longest :]]
    )


def _aligned(cells: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    left = 4  # texts to the left, numbers to the right
    return [
        "  ".join(
            c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def frame(ledger: Mapping[str, Any]) -> pandas.DataFrame:
    """The rows as a frame of pandas.

    Raises:
        OptionError: pandas is not installed.
    """
    try:
        import pandas
    except ModuleNotFoundError:
        raise OptionError("A frame needs pandas, which is not installed.", fix="pip install pandas") from None
    return pandas.DataFrame(list(rows(ledger)), columns=list(COLUMNS))
