"""Which layer hands what to which, found by one pass on shapes alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chainrule.core import Tensor, tree
from chainrule.core.primitive import Primitive
from chainrule.core.spec import Spec, spec_of
from chainrule.core.stack import stack
from chainrule.nn import Module
from chainrule.nn.ledger import Ledger


@dataclass(eq=False)
class Visit:
    """One stretch of operations of one module: what it does, what it gives, and whom it has it from.

    A module that computes, calls a layer and computes on is visited twice; so time only runs forwards in the edges.
    """

    path: str
    operations: list[str] = field(default_factory=list)
    shape: Any = None
    sources: list[Visit] = field(default_factory=list)

    def takes_from(self, source: Visit | None) -> None:
        if source is not None and source is not self and source not in self.sources:
            self.sources.append(source)


class Flow(Ledger):
    """A ledger that also notes the visits of modules, in order, and the inputs before them."""

    def __init__(self, model: Module, inputs: tuple[Spec, ...]) -> None:
        super().__init__()
        self.leaves = {path for path, module in model.named_modules() if not list(module.children())}
        self.inputs = [Visit(f"input {k}" if len(inputs) > 1 else "input", [], spec.shape)
                       for k, spec in enumerate(inputs, start=1)]  # fmt: skip
        self.visits: list[Visit] = []
        self.open: Visit | None = None
        self.made_by = {id(spec): visit for spec, visit in zip(inputs, self.inputs, strict=True)}
        self.held: list[Any] = list(inputs)  # specs live as long as their ids are looked up

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        result = super().process(primitive, args, params)
        if self.node is None:
            visit = self._visit(stack.path[-1])
            visit.operations.append(primitive.name)
            for arg in args:
                if isinstance(arg, Tensor):
                    visit.takes_from(self.made_by.get(id(arg.value)))
            for y in result if isinstance(result, tuple) else (result,):
                self._note(y, visit)
        return result

    def left(self, module: Module, path: str, result: Any) -> None:
        super().left(module, path, result)
        if self.node is not None:
            return
        if path in self.leaves:
            specs = [bottom(leaf) for leaf in tree.flatten(result)[0] if isinstance(leaf, Tensor)]
            if self.open is None or self.open.path != path:
                self._passed_on(path, specs)
            elif specs:
                self.open.shape = self.shapes[path]
        self.open = None

    def _passed_on(self, path: str, specs: list[Any]) -> None:
        """A layer gave back what it was given, as dropout does in evaluation: it stands on the way all the same."""
        visit = Visit(path, ["passes on"], self.shapes[path])
        self.visits.append(visit)
        for spec in specs:
            visit.takes_from(self.made_by.get(id(spec)))
            self.made_by[id(spec)] = visit

    def _visit(self, path: str) -> Visit:
        if self.open is None or self.open.path != path:
            self.open = Visit(path)
            self.visits.append(self.open)
        return self.open

    def _note(self, y: Any, visit: Visit) -> None:
        spec = bottom(y)
        self.held.append(spec)
        self.made_by[id(spec)] = visit
        visit.shape = tuple(spec_of(spec).shape)


def bottom(x: Any) -> Any:
    """What a tensor holds below all transformations."""
    while isinstance(x, Tensor):
        x = x.value
    return x
