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
    from chainrule.glass.drawing.activation import activation
    from chainrule.glass.drawing.attention import attention
    from chainrule.glass.drawing.boundary import boundary
    from chainrule.glass.drawing.curves import curves
    from chainrule.glass.drawing.feature_maps import feature_maps
    from chainrule.glass.drawing.filters import filters
    from chainrule.glass.drawing.gradient_flow import gradient_flow
    from chainrule.glass.drawing.graph import graph
    from chainrule.glass.drawing.hidden_states import hidden_states
    from chainrule.glass.drawing.histograms import histograms
    from chainrule.glass.drawing.landscape import landscape
    from chainrule.glass.drawing.landscape_slice import landscape_slice
    from chainrule.glass.drawing.network import network

_LATER = {
    "activation": "activation",
    "attention": "attention",
    "boundary": "boundary",
    "curves": "curves",
    "feature_maps": "feature_maps",
    "filters": "filters",
    "gradient_flow": "gradient_flow",
    "graph": "graph",
    "hidden_states": "hidden_states",
    "histograms": "histograms",
    "landscape": "landscape",
    "landscape_slice": "landscape_slice",
    "network": "network",
}
"""Names by the file that defines them, imported when one of them is first used."""

later(__name__, _LATER)

__all__ = [
    "activation",
    "attention",
    "boundary",
    "curves",
    "feature_maps",
    "filters",
    "gradient_flow",
    "graph",
    "hidden_states",
    "histograms",
    "landscape",
    "landscape_slice",
    "network",
]
