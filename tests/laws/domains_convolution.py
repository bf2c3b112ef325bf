"""Convolution and its kin: what their arguments are drawn from, and the calls to try."""

from chainrule.ops import windows
from tests.laws.entries import anywhere, calls, distinct, held


def _settings(axes, stride=1, padding=(0, 0), dilation=1, **more):
    each = lambda v, d: v if isinstance(v, list) else [v] * d  # noqa: E731
    return {
        "stride": tuple(each(stride, axes)),
        "padding": tuple(each(padding, axes)),
        "dilation": tuple(each(dilation, axes)),
        **more,
    }


def _regular(*axes):
    return {"windows": tuple(windows.regular(*axis) for axis in axes)}


CALLS = [  # x, w, y, settings
    ((2, 2, 5), (3, 2, 3), (2, 3, 3), _settings(1, groups=1)),
    ((2, 4, 6), (4, 1, 2), (2, 4, 3), _settings(1, 2, (0, 1), 2, groups=4)),
    ((1, 1, 4), (1, 1, 4), (1, 1, 1), _settings(1, groups=1)),
    ((2, 2, 4, 3), (2, 2, 2, 2), (2, 2, 3, 2), _settings(2, groups=1)),
    ((2, 2, 7, 8), (2, 1, 3, 2), (2, 2, 7, 8), _settings(2, 1, [(1, 1), (0, 1)], groups=2)),
    ((1, 4, 5, 4), (2, 2, 3, 1), (1, 2, 2, 2), _settings(2, 2, [(0, 0), (0, 0)], groups=2)),
    ((0, 2, 3, 3), (1, 2, 2, 2), (0, 1, 2, 2), _settings(2, groups=1)),
    ((1, 2, 3, 3, 4), (1, 2, 2, 2, 3), (1, 1, 2, 2, 2), _settings(3, groups=1)),
]
UNFOLDED = [  # x, y, settings
    ((2, 1, 5), (2, 1, 3, 2), _settings(1, 2, kernel=(3,))),
    ((1, 2, 4, 3), (1, 2, 2, 2, 4, 2), _settings(2, 1, [(0, 1), (0, 0)], kernel=(2, 2))),
    ((2, 1, 7, 8), (2, 1, 2, 1, 5, 8), _settings(2, dilation=[2, 1], kernel=(2, 1))),
    ((0, 1, 3), (0, 1, 2, 2), _settings(1, kernel=(2,))),
]
POOLED = [  # x, y, windows
    ((2, 2, 6), (2, 2, 3), _regular((6, 2, 2))),
    ((1, 1, 4, 5), (1, 1, 2, 3), _regular((4, 3, 1), (5, 3, 1))),
    ((1, 2, 4), (1, 2, 4), _regular((4, 1, 1))),
    ((0, 1, 4), (0, 1, 2), _regular((4, 2, 2))),
    ((1, 1, 5, 4), (1, 1, 4, 2), {"windows": (windows.adaptive(5, 4), windows.adaptive(4, 2))}),
]
SURROUNDED = [
    ((1, 2, 5, 4), _regular((5, 3, 2, (1, 1)), (4, 2, 2, (1, 1)))),
    ((2, 1, 7), _regular((7, 3, 2, (1, 1), 2))),
    ((1, 1, 5, 3), {"windows": (windows.adaptive(5, 3), windows.adaptive(3, 5))}),
]
TABLES = [
    ((2, 3, 5), {"axis": -1, "windows": windows.regular(5, 3, 1, (1, 1))}),
    ((2, 5, 3), {"axis": -2, "windows": windows.adaptive(5, 2)}),
    ((5,), {"axis": -1, "windows": windows.adaptive(5, 7)}),
    ((1, 4), {"axis": -1, "windows": windows.regular(4, 2, 2)}),
    ((0, 4), {"axis": -1, "windows": windows.regular(4, 2, 2)}),
]


def _ahead(y, settings):
    """The shapes of y that the domain of pooling with these windows has."""
    return (*y[:2], *(len(w) for w in settings["windows"]))


DOMAINS = {
    "conv": calls((anywhere, anywhere), *((x, w, s) for x, w, _, s in CALLS)),
    "conv_transpose": calls((anywhere, anywhere), *((y, w, {"size": x[2:], **s}) for x, w, y, s in CALLS)),
    "conv_weight": calls((anywhere, anywhere), *((x, y, {"kernel": w[2:], **s}) for x, w, y, s in CALLS)),
    "fold": calls((anywhere,), *((y, {"size": x[2:], **s}) for x, y, s in UNFOLDED)),
    "max_pool": calls((distinct,), *((x, s) for x, _, s in POOLED), *SURROUNDED),
    "max_pool_gather": calls((anywhere, held, held), *((x, x, _ahead(x, s), s) for x, _, s in POOLED)),
    "max_pool_spread": calls((anywhere, held, held), *((_ahead(x, s), x, _ahead(x, s), s) for x, _, s in POOLED)),
    "pad": calls(
        (anywhere,),
        ((3,), {"widths": ((1, 2),)}),
        ((2, 2, 3), {"widths": ((0, 1), (2, 0)), "value": 5.0}),
        ((0, 2), {"widths": ((1, 0),)}),
    ),
    "resample": calls((anywhere,), *TABLES),
    "unfold": calls((anywhere,), *((x, s) for x, _, s in UNFOLDED)),
}
