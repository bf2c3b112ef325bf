"""Where the boxes of a directed graph lie: layers by longest paths, order by barycentres, places by least squares.

Sugiyama, Tagawa & Toda (1981). An edge that passes a layer has a box without width there, so that no edge runs
behind a box; order decides the places, and places keep a distance, so that no two boxes overlap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

SIDE = 22.0
"""Between two boxes of a layer, in pixels."""

BETWEEN = 34.0
"""Between two layers, in pixels."""

SWEEPS = 12
"""Passes down and up, for the order and again for the places; more change little in graphs that can be read."""

STRAIGHT = 8.0
"""How much more a piece of a long edge pulls than an edge between two boxes: long edges become straight."""

Edge = tuple[int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Centres of the boxes across, tops downwards, routes of the edges, and the size of the whole, in pixels.

    A route is a list of vertical pieces ((x, top), (x, bottom)), first that of the parent, last that of the child.
    """

    centres: list[float]
    tops: list[float]
    routes: list[list[tuple[Point, Point]]]
    width: float
    height: float


def layers(n: int, edges: Sequence[Edge]) -> list[int]:
    """The layer of each of n boxes: by the longest path to it, then as far down as its children allow.

    So what is made early and used late, as the input of a late step, stands beside its use.

    Edges go from a lower number to a higher one.

    >>> layers(4, [(0, 1), (1, 3), (2, 3)])
    [0, 1, 1, 2]
    """
    level = [0] * n
    for parent, child in sorted(edges, key=lambda edge: edge[1]):
        level[child] = max(level[child], level[parent] + 1)
    children = _neighbours(n, edges, up=True)
    for i in reversed(range(n)):
        if children[i]:
            level[i] = min(level[child] for child in children[i]) - 1
    return level


def layout(sizes: Sequence[tuple[float, float]], edges: Sequence[Edge]) -> Layout:
    """Places for boxes of given widths and heights, so that every edge runs downwards and no two boxes overlap."""
    level = layers(len(sizes), edges)
    chains = _chains(level, edges)
    widths = [width for width, _ in sizes] + [0.0] * (len(level) - len(sizes))
    links = sorted({link for chain in chains for link in pairwise(chain)})
    rows = _ordered(level, links)
    x = _places(rows, np.array(widths), links, len(sizes))
    heights = [max((sizes[i][1] for i in row if i < len(sizes)), default=0.0) for row in rows]
    tops = np.concatenate([[0.0], np.cumsum(np.array(heights) + BETWEEN)])
    pieces = _Pieces(sizes, level, x, tops, heights, chains)
    routes = [pieces.route(k) for k in range(len(chains))]
    n = len(sizes)
    right = max(x[i] + widths[i] / 2 for i in range(len(widths))) if widths else 0.0
    return Layout([float(c) for c in x[:n]], [float(tops[level[i]]) for i in range(n)], routes, float(right),
                  float(tops[-1] - BETWEEN) if rows else 0.0)  # fmt: skip


def _chains(level: list[int], edges: Sequence[Edge]) -> list[list[int]]:
    """Each edge as a path from layer to layer; the boxes without width on the way are appended to `level`.

    Long edges of one parent go together as far as they can, and branch off above their children.
    """
    trunks: dict[int, list[int]] = {}
    chains = []
    for parent, child in edges:
        trunk = trunks.setdefault(parent, [])
        passed = level[child] - level[parent] - 1
        while len(trunk) < passed:
            trunk.append(len(level))
            level.append(level[parent] + len(trunk))
        chains.append([parent, *trunk[:passed], child])
    return chains


def _ordered(level: Sequence[int], links: Sequence[Edge]) -> list[list[int]]:
    """The boxes of each layer from left to right: sorted by the mean place of their neighbours, down and up."""
    by_level = groupby(sorted(range(len(level)), key=lambda i: level[i]), key=lambda i: level[i])
    rows = [list(row) for _, row in by_level]
    best, fewest = [row[:] for row in rows], crossings(rows, links)
    place = {i: k for row in rows for k, i in enumerate(row)}
    for sweep in range(SWEEPS):
        near = _neighbours(len(level), links, up=sweep % 2 == 1)
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            row.sort(key=lambda i: np.mean([place[j] for j in near[i]]) if near[i] else place[i])
            place.update({i: k for k, i in enumerate(row)})
        if (now := crossings(rows, links)) < fewest:
            best, fewest = [row[:] for row in rows], now
    return best


def crossings(rows: Sequence[Sequence[int]], links: Sequence[Edge]) -> int:
    """How many pairs of links between neighbouring layers cross."""
    level = {i: k for k, row in enumerate(rows) for i in row}
    place = {i: position for row in rows for position, i in enumerate(row)}
    ends: list[list[Edge]] = [[] for _ in rows]
    for a, b in links:
        ends[level[a]].append((place[a], place[b]))
    total = 0
    for of_layer in filter(None, ends):
        above, below = (np.sign(np.subtract.outer(side, side)) for side in np.array(of_layer).T)
        total += int((above * below < 0).sum()) // 2
    return total


def _neighbours(n: int, links: Sequence[Edge], up: bool) -> list[list[int]]:
    """Of each box its children (up) or its parents."""
    near: list[list[int]] = [[] for _ in range(n)]
    for parent, child in links:
        near[parent if up else child].append(child if up else parent)
    return near


def _places(rows: list[list[int]], widths: np.ndarray, links: Sequence[Edge], real: int) -> np.ndarray:
    """Centres across: each box as near to its neighbours as order and distances allow."""
    x = np.zeros(len(widths))
    gaps = {}
    for r, row in enumerate(rows):
        half = widths[row] / 2
        gaps[r] = np.concatenate([[0.0], np.cumsum(half[:-1] + half[1:] + SIDE)])
        x[row] = gaps[r] - gaps[r][-1] / 2
    both = [_neighbours(len(widths), links, up) for up in (False, True)]
    for sweep in range(2 * SWEEPS):
        down = sweep % 2 == 0
        for r in range(len(rows)) if down else reversed(range(len(rows))):
            row = rows[r]
            near = both[0 if down else 1]
            wanted = np.array([np.mean(x[near[i]]) if near[i] else x[i] for i in row])
            pulls = [STRAIGHT if i >= real else 1.0 if near[i] else 0.1 for i in row]
            x[row] = _increasing(wanted - gaps[r], np.array(pulls)) + gaps[r]
    return x - (x - widths / 2).min() if len(x) else x


def _increasing(wanted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The non-decreasing numbers nearest to those wanted, by weighted least squares (pool adjacent violators)."""
    blocks: list[list[float]] = []  # mean, weight, count
    for value, weight in zip(wanted, weights, strict=True):
        blocks.append([value, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            b, a = blocks.pop(), blocks.pop()
            blocks.append([(a[0] * a[1] + b[0] * b[1]) / (a[1] + b[1]), a[1] + b[1], a[2] + b[2]])
    return np.repeat([mean for mean, _, _ in blocks], [int(count) for _, _, count in blocks])


class _Pieces:
    """The vertical pieces of edges: below a parent, past the layers between, above a child."""

    def __init__(self, sizes: Sequence[tuple[float, float]], level: list[int], x: np.ndarray, tops: np.ndarray,
                 heights: list[float], chains: list[list[int]]) -> None:  # fmt: skip
        self.sizes, self.level, self.x, self.tops, self.heights, self.chains = sizes, level, x, tops, heights, chains
        self.into: dict[int, list[int]] = defaultdict(list)  # positions of the chains that end in a box
        for k, chain in enumerate(chains):
            self.into[chain[-1]].append(k)

    def route(self, k: int) -> list[tuple[Point, Point]]:
        parent, *between, child = self.chains[k]
        x, top = float(self.x[parent]), self.tops[self.level[parent]]
        first = ((x, top + self.sizes[parent][1]), (x, top + self.heights[self.level[parent]]))
        end = (float(self.x[child]) + self._port(k), self.tops[self.level[child]])
        return [first, *map(self._passing, between), (end, end)]

    def _passing(self, i: int) -> tuple[Point, Point]:
        top = self.tops[self.level[i]]
        return (self.x[i], top), (self.x[i], top + self.heights[self.level[i]])

    def _port(self, k: int) -> float:
        """Where an edge meets its child: those of a child side by side, in the order of where they come from."""
        child = self.chains[k][-1]
        of_child = sorted((self.x[self.chains[j][-2]], j) for j in self.into[child])
        place = [j for _, j in of_child].index(k)
        spread = min(self.sizes[child][0] * 0.6 / max(len(of_child) - 1, 1), 28.0)
        return (place - (len(of_child) - 1) / 2) * spread
