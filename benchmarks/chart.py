"""The chart: how many times longer each peer takes than the better plan, workload by workload."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.contenders import PEERS
from benchmarks.steps import best, ratio
from benchmarks.targets import PLANS

COLOURS = ("#1b6ca8", "#e07b39", "#3a9d5d", "#8e5ea2", "#c44e52", "#937860", "#64b5cd")
MARKS = "osD^vP*"
ROW = 0.75
"""Inches a row: as many markers one below the other as there are peers."""


def draw(results: Mapping[str, Any], path: Path) -> None:
    """Write the picture; a marker is the median, its bar the quartiles over the rounds, the axis logarithmic."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, NullFormatter

    rows = list(results["steps"].values())
    peers = [p for p in PEERS if any(_spread(r, p) for r in rows)]
    figure, axes = plt.subplots(figsize=(9, 1.6 + ROW * len(rows)), layout="constrained")
    for i in range(len(rows)):
        if i % 2:
            axes.axhspan(i - 0.5, i + 0.5, color="#f3f3f3", zorder=0)
    for k, peer in enumerate(peers):
        offset = 0.7 * ((k + 0.5) / len(peers) - 0.5)
        points = [(i + offset, s) for i, r in enumerate(rows) if (s := _spread(r, peer))]
        y, middle = [p for p, _ in points], [s[1] for _, s in points]
        ends = [[s[1] - s[0] for _, s in points], [s[2] - s[1] for _, s in points]]
        style = {"color": COLOURS[k % 7], "marker": MARKS[k % 7], "linestyle": "", "markersize": 6, "capsize": 2}
        axes.errorbar(middle, y, xerr=ends, label=peer, **style)
    axes.axvline(1, color="black", linewidth=1)
    axes.set(xscale="log", ylim=(len(rows) - 0.5, -0.5), yticks=range(len(rows)))
    axes.set_yticklabels([f"{r['workload']}\n({best(r, PLANS) or 'no plan'})" for r in rows])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}x"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("time per step over that of Chainrule's better plan (named at the left); above 1x it is faster")
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if peers:
        figure.legend(loc="outside upper center", ncols=min(4, len(peers)), frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _spread(result: Mapping[str, Any], peer: str) -> tuple[float, float, float] | None:
    own = best(dict(result), PLANS)
    entries = result["contenders"]
    return ratio(entries.get(peer, {}), entries[own]) if own else None
