"""What a model does, module by module, on shapes alone: operations forward and backward, and what is kept between.

A ledger is a transformation below reverse mode. It computes shapes in place of numbers, by the rules that operations
state, and books each operation on the module it belongs to: in a forward pass the one at work, in a backward pass the
one that made the node.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chainrule.core import tree
from chainrule.core.primitive import Primitive
from chainrule.core.reverse import ReverseTrace, pull_back
from chainrule.core.spec import Spec, spec_of
from chainrule.core.stack import Trace, running, stack
from chainrule.core.tensor import Tensor
from chainrule.nn.functional import functional_call
from chainrule.nn.module import Module
from chainrule.nn.state import parts
from chainrule.plan.places import VIEWS


class Ledger(Trace):
    """FLOPs forward and backward, bytes kept in between, and shapes of results, by module path.

    Kept is what the forward pass makes and the backward pass reads, booked on the module that made it; a view is
    its origin. Parameters and inputs are there anyway, and not counted.
    """

    lasting = True

    def __init__(self) -> None:
        self.forward: dict[str, float] = defaultdict(float)
        self.backward: dict[str, float] = defaultdict(float)
        self.kept: dict[str, int] = defaultdict(int)
        self.shapes: dict[str, Any] = {}
        self.origins: dict[int, tuple[Spec, str]] = {}  # of what was made forward, by the id of its spec
        self.specs: list[Spec] = []  # they live as long as their ids are looked up
        self.booked: set[int] = set()
        self.node: Any = None  # in a backward pass, the one whose rule is at work

    def pass_through(self, model: Module, inputs: tuple[Spec, ...]) -> None:
        """One pass forward, and one backward to the parameters from a cotangent for every float result."""
        given = {name: Tensor(spec_of(part), self) for name, part in parts(model).items()}
        learned = [name for name, p in model.named_parameters() if p.requires_grad]
        with running(ReverseTrace()) as trace:
            assert isinstance(trace, ReverseTrace)
            given |= {name: trace.leaf(given[name]) for name in learned}
            result = functional_call(model, given, *(Tensor(spec, self) for spec in inputs))
        ends = [y for y in tree.flatten(result)[0] if isinstance(y, Tensor) and y.trace is trace]
        pull_back(trace, [(y, Tensor(Spec(tuple(y.shape), y.dtype), self)) for y in ends])

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        self.refuse_if_closed()
        if not primitive.is_recorded:  # its results are at hand, and were booked when they were made
            at_hand = primitive.kernel_for(Spec, None)(*args, **params)
            return tuple(Tensor(r, self) if isinstance(r, Spec) else r for r in at_hand)
        specs = [spec_of(a) for a in args]
        book, path = (self.forward, stack.path[-1]) if self.node is None else (self.backward, self.node.path)
        book[path] += primitive.flops(*specs, **params)
        result = primitive.spec(*specs, **params)
        results = result if isinstance(result, tuple) else (result,)
        made = [Tensor(Spec(r.shape, r.dtype), self) for r in results]
        if self.node is None:
            self._make(made, path, args[0] if primitive.name in VIEWS else None)
        else:
            self._read(args)
        return tuple(made) if isinstance(result, tuple) else made[0]

    def _make(self, made: list[Tensor], path: str, origin: Any) -> None:
        """Note results of the forward pass, by what they are views of; parameters and inputs are not of the pass."""
        for y in made:
            self.specs.append(y.value)
            if origin is None:
                self.origins[id(y.value)] = (y.value, path)
            elif isinstance(origin, Tensor) and id(origin.value) in self.origins:
                self.origins[id(y.value)] = self.origins[id(origin.value)]

    def _read(self, args: tuple[Any, ...]) -> None:
        for a in args:
            found = self.origins.get(id(a.value)) if isinstance(a, Tensor) else None
            if found is not None and id(found[0]) not in self.booked:
                self.booked.add(id(found[0]))
                self.kept[found[1]] += found[0].nbytes

    # What the interpreter tells a recorder.

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Inside the block, the interpreter tells the ledger where it is."""
        before, stack.recorder = stack.recorder, self
        try:
            yield
        finally:
            stack.recorder = before

    def arrived(self, node: Any, bar: Any) -> None:
        """Reverse mode is at a node, or (None) at its end."""
        self.node = node

    def meet(self, module: Module) -> None:
        """A model is called."""

    def left(self, module: Module, path: str, result: Any) -> None:
        """A module has returned."""
        if self.node is None:
            self.shapes[path] = tree.map_leaves(lambda leaf: getattr(leaf, "shape", None), result)

    def drawn(self, draw: Any, shape: tuple[int, ...], dtype: Any) -> Tensor:
        """Random numbers, of which none is taken."""
        return Tensor(Spec(shape, dtype), self)

    def assign(self, part: Tensor, data: Any) -> None:
        """A buffer takes other numbers: there are none to take."""

    def holds(self, values: Any) -> bool:
        """Whether checks of these values have to wait: there are none to check."""
        return False
