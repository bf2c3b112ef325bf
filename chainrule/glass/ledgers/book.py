"""The ledger: every quantity of one step of training, layer by layer, as arrays and as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.glass.explanation.problem import loss_named
from chainrule.glass.ledgers.examples import Shares
from chainrule.glass.ledgers.layers import by_owner, quantities
from chainrule.glass.ledgers.one_step import Tape, array, run
from chainrule.glass.ledgers.table import frame, table
from chainrule.glass.ledgers.update import updates
from chainrule.nn import Module

if TYPE_CHECKING:
    import pandas

SHORT = {"W": "weight", "b": "bias", "dW": "dweight", "db": "dbias", "dz": "delta"}
"""The words of the books for quantities that go by the names of PyTorch's parameters."""


def ledger(
    model: Module, x: Any, y: Any, loss: str | Callable[..., Any], optimizer: Any = None, *, batch_axis: int = 0
) -> Ledger:
    """Every quantity of the next step of training: forward, backward and, with an optimiser, the update.

    By layer: z and δ = dL/dz (dense layers and convolutions), a and dL/da, parameters θ and dL/dθ, with an
    optimiser Δθ and ‖Δθ‖/‖θ‖ (about 1e-3 is healthy); gates, states and their δ at every step of a recurrent
    layer, (n, T, hidden_size); scores, weights and output of every head, (n, heads, T, S); running statistics, and
    what the step makes of them. The gradient of each example alone is found when it is asked for.

    x is what the model takes, a tuple for several inputs, with examples along `batch_axis`; y is what the loss
    compares with. The numbers are those of the step itself, in the model's dtype and mode, with the random numbers
    that are due: model, optimiser, gradients and random stream stay as they are, bit for bit. The update is that of
    this batch alone, without clipping. 000 ch. 6.

    Raises:
        OptionError: the model is none, the loss is not one number, or the optimiser is another model's.
        GradientError: the loss does not depend on the parameters.

    >>> import chainrule as cr
    >>> cr.seed(0)
    >>> book = cr.ledger(cr.nn.Sequential(fc1=cr.nn.Linear(3, 2)), [[1.0, 2.0, 3.0]] * 4, [0, 1, 1, 0], "cross-entropy")
    >>> book["fc1"].delta.shape, book["fc1"].dW.shape, book["fc1"].examples.dW.shape
    ((4, 2), (2, 3), (4, 2, 3))
    """
    if not isinstance(model, Module):
        raise OptionError(f"A ledger is of a model made of modules, got {type(model).__name__}.")
    tape = run(model, x, y, loss_named(loss))
    return Ledger(tape, updates(tape, optimizer) if optimizer is not None else {}, batch_axis)


class Quantities(Mapping[str, np.ndarray]):
    """Arrays by name, as items and as attributes; W, b, dW, db are short for weight, bias and their gradients."""

    def __getitem__(self, name: str) -> np.ndarray:
        """The numbers of a quantity.

        Raises:
            OptionError: there is none of this name.
        """
        long = SHORT.get(name, name)
        if long not in set(self):
            raise OptionError(f"There is no quantity {name!r} of {self.label}.", known=", ".join(self))
        return self._of(long)

    def __getattr__(self, name: str) -> np.ndarray:
        if name.startswith("_") or SHORT.get(name, name) not in set(self):
            raise AttributeError(f"{self.label} has no quantity {name!r}; there are {', '.join(self)}")
        return self[name]

    def __contains__(self, name: object) -> bool:
        return SHORT.get(str(name), name) in set(self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def label(self) -> str:
        """Whose quantities these are."""
        raise NotImplementedError

    def _of(self, name: str) -> np.ndarray:
        raise NotImplementedError


class Entry(Quantities):
    """The quantities of one layer. `examples` are those of its gradients, example by example."""

    def __init__(self, path: str, module: Module, values: dict[str, np.ndarray], examples: Examples) -> None:
        self.path, self.module, self.values_by_name, self.examples = path, module, values, examples

    @property
    def kind(self) -> str:
        """The class of the layer."""
        return type(self.module).__name__

    @property
    def label(self) -> str:
        return f"{self.path or 'the model'} = {self.kind}"

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def _of(self, name: str) -> np.ndarray:
        return self.values_by_name[name]

    def __repr__(self) -> str:
        return f"<{self.label}: {', '.join(self)}>"


class Examples(Quantities):
    """dL/dθ of one layer's parameters, example by example, (n, *shape): they sum to that of the batch."""

    def __init__(self, book: Ledger, path: str) -> None:
        self.book, self.path = book, path

    @property
    def label(self) -> str:
        return f"the examples of {self.path or 'the model'}"

    def __iter__(self) -> Iterator[str]:
        return (f"d{name}" for name in self.book.parameters.get(self.path, {}))

    def _of(self, name: str) -> np.ndarray:
        p = self.book.parameters[self.path][name[1:]]
        return self.book.shares.of(p, ".".join(filter(None, (self.path, name[1:]))))


class Ledger(Mapping[str, Entry]):
    """Every quantity of a step, by the path of the layer: `ledger["fc1"].delta`, `ledger["fc1"]["delta"]`.

    `loss` and `prediction` are the step's, `dx` is dL/dx where x is made of fractions. Printed, it is a table.
    """

    def __init__(self, tape: Tape, changes: Mapping[Any, np.ndarray], batch_axis: int) -> None:
        self.tape, self.batch_axis, self._shares = tape, batch_axis, None
        self.loss = float(array(tape.loss))
        self.entries: dict[str, Entry] = {}
        modules = dict(tape.model.named_modules())
        owners = by_owner(tape.model, tape.model.named_parameters())
        self.parameters = {path: dict(parts) for path, parts in owners.items()}
        found: dict[str, dict[str, np.ndarray]] = {}
        for path, name, values in quantities(tape):
            found.setdefault(path, {})[name] = values
        for path, values in found.items():
            values |= _changes(self.parameters.get(path, {}), values, changes)
            self.entries[path] = Entry(path, modules[path], values, Examples(self, path))

    @property
    def prediction(self) -> Any:
        """What the model gave."""
        return self.tape.prediction

    @property
    def dx(self) -> Any:
        """dL/dx, of the first input if there are several; None where it is made of integers."""
        x = self.tape.inputs[0]
        return self.tape.gradient(x) if getattr(x, "node", None) is not None else None

    @property
    def shares(self) -> Shares:
        """The gradients example by example."""
        if self._shares is None:
            self._shares = Shares(self.tape, self.tape.inputs[0].shape[self.batch_axis], self.batch_axis)
        return self._shares

    def __getitem__(self, path: str) -> Entry:
        """The quantities of a layer.

        Raises:
            OptionError: there is no layer of this path.
        """
        if path not in self.entries:
            raise OptionError(f"There is no layer {path!r} in the ledger.", known=", ".join(filter(None, self.entries)))
        return self.entries[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, path: object) -> bool:
        return path in self.entries

    def __str__(self) -> str:
        return table(self)

    def __repr__(self) -> str:
        return f"<Ledger of {len(self)} layers, loss {self.loss:.6g}: {', '.join(filter(None, self))}>"

    def frame(self) -> pandas.DataFrame:
        """Path, kind, quantity, shape, mean, std, min and max of every quantity, as a frame of pandas."""
        return frame(self)


def _changes(parameters: Mapping[str, Any], values: Mapping[str, Any], changes: Mapping[Any, Any]) -> dict[str, Any]:
    """Δθ and ‖Δθ‖/‖θ‖ of a layer's parameters; the ratio is infinite where θ is 0 and moves."""
    found: dict[str, np.ndarray] = {}
    for name, p in parameters.items():
        if p.node in changes:
            change = changes[p.node]
            size, moved = np.linalg.norm(values[name]), np.linalg.norm(change)
            ratio = moved / size if size else np.inf if moved else 0.0
            found |= {f"update.{name}": change, f"ratio.{name}": np.asarray(ratio)}
    return found
