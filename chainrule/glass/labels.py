"""A layer as it is named in a report."""

from __future__ import annotations

from chainrule.nn import Module


def labels(path: str, *models: Module) -> str:
    """How a layer prints itself in each model: once, where it is the same."""
    known = (dict(model.named_modules()).get(path) for model in models)
    shown = dict.fromkeys("none" if m is None else repr(m).split("\n")[0].rstrip("(") for m in known)
    return f"{path} = {' and '.join(shown)}"
