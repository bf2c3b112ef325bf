"""What a tree of modules holds, listed once and remembered until the tree changes."""

from __future__ import annotations

from typing import Any

from chainrule.core.stack import Stack, stack
from chainrule.nn.parameter import Buffer, Parameter


class Holdings:
    """Modules below a root, parameters and buffers with their paths, each once.

    They stand while no module was given another part (`changed` counts that) and while the lists and dicts of
    the tree, which can change without a word, have the parts they had.
    """

    __slots__ = ("boxes", "buffers", "changes", "children", "modules", "parameters", "paths")

    def __init__(self, root: Any) -> None:
        self.changes = stack.structure
        found = list(root._walk())
        self.children = list(root._children())
        self.paths = {id(module): path for path, module in found}
        self.modules = found[1:]  # the root left out, so that it does not hold itself
        parts = [(f"{path}.{n}" if path else n, part) for path, m in found for n, part in m._parts()]
        self.parameters: list[tuple[str, Parameter]] = _once(parts, Parameter)
        self.buffers: list[tuple[str, Buffer]] = _once(parts, Buffer)
        self.boxes = [(box, _inside(box)) for _, m in found for box in _boxes(tuple(vars(m).values()))]

    def stand(self) -> bool:
        """Whether the tree is still the one that was listed."""
        if self.changes != stack.structure:
            return False
        return not self.boxes or all(_inside(box) == before for box, before in self.boxes)


def changed() -> None:
    """Note that a module was given another part."""
    Stack.structure += 1
    Stack.looks += 1


def looks_different() -> None:
    """Note that a module got another setting or mode, or a parameter another place in memory."""
    Stack.looks += 1


def _once(parts: list[tuple[str, Any]], kind: type) -> list[tuple[str, Any]]:
    first: dict[int, tuple[str, Any]] = {}
    for name, part in parts:
        if isinstance(part, kind):
            first.setdefault(id(part), (name, part))
    return list(first.values())


def _boxes(value: Any) -> list[Any]:
    """The lists and dicts in a value, at any depth."""
    if not isinstance(value, (list, tuple, dict)):
        return []
    inner = value.values() if isinstance(value, dict) else value
    own = [] if isinstance(value, tuple) else [value]
    return own + [box for v in inner for box in _boxes(v)]


def _inside(box: Any) -> list[Any]:
    """What a list or dict holds that may belong to the tree, by place and identity; no numbers, no text."""
    pairs = box.items() if isinstance(box, dict) else enumerate(box)
    return [(key, id(v)) for key, v in pairs if not isinstance(v, (int, float, str, type(None)))]
