"""Drawings: networks and graphs as SVG, pictures of what a network does by matplotlib.

It is the room `cr.draw`:

    cr.draw.network(model, (1, 784)).save("network.svg")
    cr.draw.graph(loss, values=True, adjoints=True)
    cr.draw.boundary(model, x, y, path="boundary.png")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.base.later import later

if TYPE_CHECKING:
    from chainrule.glass.drawing.graph import graph
    from chainrule.glass.drawing.network import network

_LATER = {
    "graph": "graph",
    "network": "network",
}
"""Names by the file that defines them, imported when one of them is first used."""

later(__name__, _LATER)

__all__ = [
    "graph",
    "network",
]
