"""What memory a plan takes, by layer and by kind, before it runs."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from chainrule.plan.program import Act, Program, Value

KINDS = ("parameter", "gradient", "moment", "activation", "workspace")
"""Columns of the report.

activation: what the forward pass makes and the backward pass reads; workspace: all else that is made on the way, with
what kernels need for themselves.
"""


class Memory:
    """Bytes of a plan by layer and kind; `str` gives the table.

    Activations and workspace share one arena, in which values that are not alive at the same time lie in the same
    place: `arena` is its size, the columns say what would be needed without sharing. `total` is what the plan takes.
    """

    def __init__(self, rows: dict[str, dict[str, int]], arena: int, scratch: int, inputs: int) -> None:
        self.rows, self.arena, self.scratch, self.inputs = rows, arena, scratch, inputs

    def bytes(self, kind: str) -> int:
        """All bytes of one kind."""
        return sum(row.get(kind, 0) for row in self.rows.values())

    @property
    def total(self) -> int:
        """Bytes that the plan and the state of its model take together."""
        lasting = sum(self.bytes(kind) for kind in ("parameter", "gradient", "moment", "buffer"))
        return lasting + self.arena + self.scratch + self.inputs

    def __str__(self) -> str:
        head = ("layer", *KINDS)
        cells = [(path or "(step)", *(sized(row.get(k, 0)) for k in KINDS)) for path, row in self.rows.items()]
        cells.append(("all", *(sized(self.bytes(k)) for k in KINDS)))
        widths = [max(len(row[i]) for row in (head, *cells)) for i in range(len(head))]
        lines = ["  ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
                 for row in (head, ["─" * w for w in widths], *cells)]  # fmt: skip
        shared = f"arena {sized(self.arena)} for activations and workspace, which share it"
        return "\n".join([*(line.rstrip() for line in lines), f"{shared}; in all {sized(self.total)}"])

    __repr__ = __str__


def memory_of(program: Program, arena: int, scratch: int) -> Memory:
    """The report for a program with its places, the size of its arena, and what kernels need for themselves."""
    rows: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(KINDS, 0))
    for value, path, kind in _placed(program):
        rows[path][kind] = rows[path].get(kind, 0) + value.nbytes
    for act in (line for line in program if isinstance(line, Act)):
        for path, size in _moments(act.owner):
            rows[path]["moment"] += size
    inputs = sum(v.nbytes for v in program.inputs)
    return Memory(dict(sorted(rows.items())), arena, scratch, inputs)


def _placed(program: Program) -> list[tuple[Value, str, str]]:
    """Every piece of memory that the program has of its own, with its layer and kind."""
    places, found = program.places, []
    kept = {places[v].root for line in program if line.phase == "backward" for v in line.reads}
    seen: set[Value] = set()
    for line in program:
        for value in (*line.reads, *line.writes):
            root = places[value].root
            if root in seen or root.kind in ("input", "constant"):
                continue
            seen.add(root)
            if root.is_state:
                path = root.names[0].rpartition(".")[0] if root.names else ""
                found.append((root, path, root.kind))
            else:
                made_forward = line.phase == "forward" and root in kept
                found.append((root, line.path, "activation" if made_forward else "workspace"))
    return found


def _moments(owner: Any) -> list[tuple[str, int]]:
    """What an optimiser keeps for its parameters, as bytes."""
    return [("", sum(m.nbytes for m in group.moments.values())) for group in getattr(owner, "groups", ())]


def sized(n: float) -> str:
    """A number of bytes for people: 0, 640 B, 12.3 kB, 4.6 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000 or unit == "GB":
            return f"{n:.0f} {unit}" if unit == "B" or n >= 100 else f"{n:.1f} {unit}"
        n /= 1000
    return ""
