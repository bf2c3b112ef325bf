"""What a plan computes and moves, by layer, and how long that should take on this machine."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from chainrule.plan.machine import Machine, machine
from chainrule.plan.memory import sized
from chainrule.plan.program import Act, Call, Chain, Instruction, Program


@dataclass
class Row:
    """Floating-point operations, bytes read and written, and seconds, forward and backward."""

    flops: float = 0.0
    bytes: float = 0.0
    forward: float = 0.0
    backward: float = 0.0

    @property
    def seconds(self) -> float:
        return self.forward + self.backward


class Cost:
    """Operations, bytes and predicted time of a plan by layer; `str` gives the table.

    An instruction is taken to last as long as its arithmetic at the speed of large products, or as its bytes at the
    speed of memory, whichever is longer, and a call's price. Small products run below that speed, and what lies in
    the caches above it: the prediction is right to a factor of about two.
    """

    def __init__(self, rows: dict[str, Row], machine: Machine) -> None:
        self.rows, self.machine = rows, machine

    @property
    def flops(self) -> float:
        """Floating-point operations of a step."""
        return sum(row.flops for row in self.rows.values())

    @property
    def bytes(self) -> float:
        """Bytes read and written in a step."""
        return sum(row.bytes for row in self.rows.values())

    @property
    def seconds(self) -> float:
        """Predicted time of a step."""
        return sum(row.seconds for row in self.rows.values())

    def __str__(self) -> str:
        head = ("layer", "FLOPs", "bytes", "forward", "backward")
        total = Row(
            *(sum(getattr(r, f) for r in self.rows.values()) for f in ("flops", "bytes", "forward", "backward"))
        )
        cells = [_cells(path or "(step)", row) for path, row in self.rows.items()] + [_cells("all", total)]
        widths = [max(len(row[i]) for row in (head, *cells)) for i in range(len(head))]
        lines = ["  ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
                 for row in (head, ["─" * w for w in widths], *cells)]  # fmt: skip
        m = self.machine
        end = f"at {m.flops / 1e9:.0f} GFLOP/s in products and {m.bandwidth / 1e9:.0f} GB/s of memory"
        return "\n".join([*(line.rstrip() for line in lines), end])

    __repr__ = __str__


def cost_of(program: Program, here: Machine | None = None) -> Cost:
    """The cost of a program, on this machine or another."""
    here = here or machine()
    rows: dict[str, Row] = defaultdict(Row)
    for line in program:
        flops, moved = _work(line)
        row = rows[line.path]
        seconds = max(flops / here.flops, moved / here.bandwidth) + here.call
        row.flops, row.bytes = row.flops + flops, row.bytes + moved
        if line.phase == "forward":
            row.forward += seconds
        else:
            row.backward += seconds
    return Cost(dict(sorted(rows.items())), here)


def _work(line: Instruction) -> tuple[float, float]:
    """Floating-point operations, and bytes read and written."""
    calls = line.calls if isinstance(line, Chain) else [line] if isinstance(line, Call) else []
    flops = sum(c.primitive.flops(*c.reads, **c.params) for c in calls)
    moved = sum(v.nbytes for v in (*line.reads, *line.writes))
    if isinstance(line, Act):  # some passes over what it changes
        flops += 10 * sum(v.size for v in line.writes) / 2
    return float(flops), float(moved)


def _cells(path: str, row: Row) -> tuple[str, ...]:
    return path, f"{row.flops:,.0f}", sized(row.bytes), _time(row.forward), _time(row.backward)


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:,.2f} ms"
