"""History: what a training run measured, one row an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class History:
    """Rows of figures by epoch; a column is `history["train_loss"]`.

    `stopped` says why the run ended: "finished", "early stopping", "interrupted", or is empty while it runs.
    """

    def __init__(self, rows: list[dict[str, Any]] | None = None, stopped: str = "") -> None:
        self.rows = rows or []
        self.stopped = stopped

    def append(self, row: dict[str, Any]) -> None:
        """Add an epoch."""
        self.rows.append(row)

    @property
    def columns(self) -> list[str]:
        """The names of the figures."""
        return list(self.rows[-1]) if self.rows else []

    def __getitem__(self, column: str) -> list[Any]:
        if self.rows and column not in self.rows[-1]:
            raise KeyError(f"no column {column!r}; there are {', '.join(self.columns)}")
        return [row[column] for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def best(self, column: str = "validation_loss", largest: bool = False) -> dict[str, Any]:
        """The row with the smallest (or largest) figure in a column."""
        return (max if largest else min)(self.rows, key=lambda row: row[column])

    def __str__(self) -> str:
        cells = [self.columns, *([_cell(v) for v in row.values()] for row in self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        return "\n".join("  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in cells)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
