"""Results as text: a table for each workload and part, then the targets."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks import overhead, training, watching
from benchmarks.contenders import NUMPY, PYTORCH
from benchmarks.steps import best, milliseconds, ratio
from benchmarks.targets import PLANS, Target, targets

Results = Mapping[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they must be, the first to the left."""
    rows = [head, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
             for row in rows]  # fmt: skip
    return "\n".join([lines[0].rstrip(), "─" * len(lines[0]), *(line.rstrip() for line in lines[1:])])


HEAD = ("contender", "ms/step", "/ ours", "quartiles", "of products", "peak MB", "later MB", "first step", "from call")


def steps(result: Mapping[str, Any]) -> str:
    """One workload: `/ ours` is the time over that of the better of the NumPy and torch plans, marked *."""
    entries, ours = result["contenders"], best(result, PLANS)
    work = f"{result['flops'] / 1e9:.3g} GFLOP a step, " if result["flops"] else ""
    title = f"{result['workload']}: {work}matrix products at {result['rate'] / 1e9:.0f} GFLOP/s"
    rows = [_row(name, entry, result, entries.get(ours or "", {}), name == ours) for name, entry in entries.items()]
    notes = [f"  {name}: {entry.get('void') or entry['refused']}" for name, entry in entries.items()
             if "void" in entry or "refused" in entry]  # fmt: skip
    deviation = max((e.get("deviation", 0.0) for e in entries.values()), default=0.0)
    return "\n".join([title, table(HEAD, rows), *notes, f"  losses within {deviation:.1e} of their median"])


def _row(name: str, entry: Mapping[str, Any], result: Any, ours: Any, marked: bool) -> tuple[str, ...]:
    ms, spread = milliseconds(entry), ratio(entry, ours)
    share = result["flops"] / (ms / 1e3) / result["rate"] if ms and result["flops"] else None
    memory = entry.get("memory", {})
    return (
        f"{name}{' *' if marked else ''}",
        _number(ms, "{:.4g}"),
        _number(spread and spread[1], "{:.2f}"),
        f"{spread[0]:.2f}–{spread[2]:.2f}" if spread else "-",
        _number(share and 100 * share, "{:.0f} %"),
        _number(_mega(memory.get("first")), "{:.1f}"),
        _number(_mega(memory.get("later")), "{:.1f}"),
        _number(entry.get("from_start"), "{:.2f} s"),
        _number(entry.get("from_call"), "{:.2f} s"),
    )


def _mega(size: float | None) -> float | None:
    return None if size is None else size / 1e6


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def trainings(found: Mapping[str, Any]) -> str:
    """Whole trainings."""
    if "skipped" in found:
        return f"training: skipped, {found['skipped']}"
    entries = found["libraries"]
    own = training.seconds(entries.get(training.FIT, {}))
    rows = []
    for name, entry in entries.items():
        seconds = training.seconds(entry)
        if seconds is None:
            rows.append((name, "-", "-", "-", entry.get("refused", "")))
            continue
        spread = f"{min(entry['seconds']):.2f}–{max(entry['seconds']):.2f}"
        error = f"{100 * training.error(entry):.2f} %"
        rows.append((name, f"{seconds:.2f}", spread, f"{seconds / own:.2f}" if own else "-", error))
    title = f"training: MNIST 784-256-128-10, Adam, batch 128, {found['epochs']} epochs a run"
    return f"{title}\n{table(('library', 's/epoch', 'runs', '/ fit', 'test error'), rows)}"


def overheads(found: Mapping[str, Any]) -> str:
    """`fit` beside the plan."""
    rows = []
    for name, row in found.items():
        if "fit" not in row:
            rows.append((name, row.get("refused", ""), "", "", "", ""))
            continue
        micro = [f"{1e6 * statistics.median(row[k]):.1f}" for k in ("replay", "call", "fit")]
        share, added = overhead.extra(row, "replay")
        rows.append((name, *micro, f"{100 * share:.1f} %", f"{1e6 * added:.1f}"))
    head = ("fit overhead, µs a step", "replay", "plan(x, y)", "fit", "fit / replay − 1", "fit − replay")
    return table(head, rows)


def watched(result: Mapping[str, Any]) -> str:
    """The price of watching, over the plain plan and over plain PyTorch."""
    entries = result["contenders"]
    rows = []
    for name, entry in entries.items():
        ms = milliseconds(entry)
        cells = [_number(r and r[1], "{:.2f}x") for r in (ratio(entry, entries[base]) for base in (NUMPY, PYTORCH))]
        note = entry.get("void") or entry.get("refused") or ""
        rows.append((name, _number(ms and 1e3 * ms, "{:.1f}"), *cells, note))
    book = result.get("ledger", {})
    if "step" in book:
        step, ledger = (f"{1e6 * statistics.median(book[k]):.1f}" for k in ("step", "ledger"))
        note = f"{watching.times_a_step(book):.2f}x of its step by define-by-run, {step} µs"
        rows.append(("cr, a full ledger", ledger, "-", "-", note))
    return table(("watching mlp-small", "µs/step", "/ plain plan", "/ PyTorch", ""), rows)


def started(found: Mapping[str, Any]) -> str:
    """Waiting."""
    rows = [("import chainrule", f"{found['import']:.3f} s")]
    rows += [(f"first step of mlp, {n}", f"{v:.2f} s" if isinstance(v, float) else v) for n, v in found.items()
             if n != "import"]  # fmt: skip
    return table(("start", "median"), rows)


def judged(found: Sequence[Target]) -> str:
    """The targets."""
    signs = {True: "✓ met    ", False: "✗ NOT met", None: "· open   "}
    lines = [f"{signs[t.met]}  {t.promise}\n             {t.measured}" for t in found]
    return "\n".join(["targets", "─" * 7, *lines])


def whole(results: Results) -> str:
    """All of it."""
    parts = [steps(r) for r in results.get("steps", {}).values()]
    parts += [steps(r) for r in results.get("eager", {}).values()]
    writers = {"training": trainings, "overhead": overheads, "watching": watched, "start": started}
    parts += [write(results[name]) for name, write in writers.items() if name in results]
    return "\n\n".join([*parts, judged(targets(results))])
