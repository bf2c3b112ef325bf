"""One forward and backward pass in float64: every tensor of it and its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np

from chainrule import nn
from chainrule.base.errors import GradientError, OptionError
from chainrule.base.keys import Key
from chainrule.core import PRIMITIVES, Graph, Tensor, gradients, random_stream
from chainrule.glass.explanation.cells import is_explained
from chainrule.glass.explanation.differences import Check, Onwards, Replay, Rest, check
from chainrule.glass.ledgers.one_step import Tape, cotangents
from chainrule.glass.record import WHOLE, Call, record
from chainrule.nn import (
    ELU,
    Activation,
    ChannelShuffle,
    Dropout,
    Embedding,
    Flatten,
    Fold,
    GlobalAvgPool,
    GroupNorm,
    LayerNorm,
    LeakyReLU,
    LearnedPositions,
    Linear,
    LogSoftmax,
    Module,
    MultiheadAttention,
    PixelShuffle,
    PixelUnshuffle,
    PositionalEncoding,
    PReLU,
    Residual,
    RMSNorm,
    Softmax,
    Unflatten,
    Unfold,
    Upsample,
)
from chainrule.nn.parameter import ParameterLeaf


def _each(*names: str) -> tuple[type[Module], ...]:
    """Layers over one, two and three axes."""
    return tuple(getattr(nn, f"{name}{axes}d") for name in names for axes in (1, 2, 3))


KINDS: tuple[tuple[tuple[type[Module], ...], str], ...] = (
    ((Linear,), "linear"),
    (_each("Conv"), "convolution"),
    (_each("ConvTranspose"), "transposed convolution"),
    ((Activation, LeakyReLU, PReLU, ELU), "activation"),
    ((Softmax, LogSoftmax), "softmax"),
    ((Dropout,), "dropout"),
    (_each("BatchNorm"), "batch norm"),
    ((LayerNorm,), "layer norm"),
    ((GroupNorm, *_each("InstanceNorm")), "group norm"),
    ((RMSNorm,), "rms norm"),
    (_each("MaxPool", "AdaptiveMaxPool"), "max pooling"),
    ((GlobalAvgPool, *_each("AvgPool", "AdaptiveAvgPool")), "mean pooling"),
    ((Embedding,), "embedding"),
    ((Flatten, Unflatten), "flatten"),
    ((Residual,), "residual"),
    ((PositionalEncoding, LearnedPositions), "positions"),
    ((Upsample, PixelShuffle, PixelUnshuffle, ChannelShuffle, Fold, Unfold), "linear map"),
    (_each("ZeroPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad"), "linear map"),
)
"""By which rule a layer is explained; any other is "general", shown by the formulas of its operations."""

OPERATIONS = {"softmax": "softmax", "log_softmax": "softmax", "max_pool": "max pooling", "reshape": "flatten"}
"""Operations that a model calls by itself, by name, which are explained as the layers are."""

WEIGHTED = ("linear", "convolution", "transposed convolution")
"""Kinds of layers that are counted: with weights W, a bias b and pre-activations z."""


def weighted(call: Call) -> bool:
    """Whether a layer is one of those that are counted."""
    return kind(call) in WEIGHTED


BETWEEN = ("add", "index", "mean", "matmul", "attention")
"""Operations between layers that have rules of their own."""


def kind(call: Call) -> str:
    """By which rule a call is explained."""
    if is_explained(call.module):
        return "recurrent"
    if isinstance(call.module, MultiheadAttention) and not call.module.rotary:
        return "attention" if call.module.num_heads == call.module.num_kv_heads else "general"
    for types, name in KINDS:
        if isinstance(call.module, types):
            return name
    if call.module is None and call.operation in BETWEEN:
        return call.operation
    if call.operation in OPERATIONS:
        return OPERATIONS[call.operation]
    primitive = PRIMITIVES.get(call.operation)
    unary = primitive is not None and primitive.family == "elementwise" and len(call.output.node.args) == 1
    return "activation" if unary and call.module is None else "general"


@contextmanager
def float64(model: Module, state: Mapping[str, np.ndarray] | None = None) -> Iterator[None]:
    """Inside the block the model computes in float64, with `state` where given; then it is as it was."""
    parts = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    before = {name: (part.value, part.node) for name, part in parts.items()}
    learned = {name for name, _ in model.named_parameters()}
    for name, part in parts.items():
        values = np.array(part.data if state is None else state[name])
        part.value = values.astype(np.float64) if values.dtype.kind == "f" else values
        if name in learned:
            part.node = ParameterLeaf(part.value)
    try:
        yield
    finally:
        for name, part in parts.items():
            part.value, part.node = before[name]


def join(path: str, name: str) -> str:
    """The name of a quantity of a layer: `fc1.z`."""
    return f"{path}.{name}" if path else name


def slope_name(path: str, name: str) -> str:
    """The name of the derivative of a parameter: `fc1.dW`, `rnn.cell.dweight_ih`."""
    part, _, own = name.rpartition(".")
    return join(path, join(part, f"d{own}"))


class Run:
    """A model applied to a batch, and the derivatives of its loss, as the library computes them."""

    def __init__(
        self, model: Module, inputs: tuple[np.ndarray, ...], y: Any, loss: Callable[..., Any], key: Key
    ) -> None:
        self.model, self.y, self.loss_function = model, y, loss
        self.inputs = tuple(map(variable, inputs))
        self.x = self.inputs[0]
        self.buffers = {name: np.array(b.data) for name, b in model.named_buffers()}
        with random_stream(key):
            self.prediction, self.calls = record(model, *self.inputs)
            self.loss = loss(self.prediction, y)
        self._accept()
        self.parameters = dict(model.named_parameters())
        found = [*self.inputs, *self.parameters.values(), *(t for c in self.calls for t in (*c.inputs, *c.outputs))]
        self.tensors = {mark(t): t for t in found}
        linked = {m: t for m, t in self.tensors.items() if t.node is not None}
        bars = gradients(self.loss, list(linked.values()))
        self.bars = {m: np.asarray(bar.data) for m, bar in zip(linked, bars, strict=True)}
        self.replay = Replay(self.loss)
        self.producer = {mark(y): c for c in reversed(self.calls) if not c.passes for y in c.outputs}
        self.uses: dict[Any, list[Call]] = {}
        for call in self.calls:
            for t in call.inputs if not call.passes else ():
                self.uses.setdefault(mark(t), []).append(call)

        self.worked: dict[Call, Any] = {}
        """What a layer's rules have worked out of its inside, to be used by all of them."""

    @cached_property
    def tape(self) -> Tape:
        """The run as the ledger reads it: with the cotangents of every operation."""
        tape = Tape(self.model, self.inputs, self.prediction, self.loss, [], list(Graph(self.loss)))
        tape.bars = cotangents(tape)
        return tape

    @cached_property
    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Prediction and target row by row: of samples, or of the steps of all sequences if each has a prediction."""
        prediction, target = self.prediction.data, np.asarray(getattr(self.y, "data", self.y))
        if prediction.ndim == 3 and target.shape[:2] == prediction.shape[:2]:
            return prediction.reshape(-1, prediction.shape[-1]), target.reshape(-1, *target.shape[2:])
        return prediction, target

    def _accept(self) -> None:
        for call in self.calls:
            if isinstance(call.module, Linear) and call.output.ndim not in (2, 3):
                raise OptionError(
                    f"explain shows dense layers on samples or sequences of features, not on {call.inputs[0].shape}.",
                    layer=f"{call.path} = {call.module!r}",
                    fix="cr.nn.Flatten() before it",
                )
        if not isinstance(self.loss, Tensor) or self.loss.size != 1:
            shape = getattr(self.loss, "shape", type(self.loss).__name__)
            raise OptionError(
                f"explain needs a loss that is one number, this one gave {shape}.",
                fix="a loss with reduction='mean'",
            )
        if self.loss.node is None:
            raise GradientError("The loss does not depend on the parameters, so there is nothing to go back through.")

    def gradient(self, tensor: Tensor) -> np.ndarray:
        """dL/d(tensor); zero where the loss does not depend on it."""
        return self.bars.get(mark(tensor), np.zeros(tensor.shape))

    def check(self, tensor: Tensor) -> Check:
        """The gradient of the loss with respect to a tensor, against central differences."""
        return check(self.replay, np.ones(self.loss.shape), tensor, self.gradient(tensor))

    def sends_alone(self, x: Tensor) -> bool:
        """Whether what goes back to a tensor is shown, and comes from one layer only."""
        given = (
            any(x is v for v in self.inputs)
            or x.node is None
            or any(x.node is p.node for p in self.parameters.values())
        )
        return not given and len(self.uses[mark(x)]) == 1

    def check_entry(self, tensor: Tensor, place: tuple[int, ...]) -> Check:
        """One entry of the gradient of the loss with respect to a tensor."""

        def rest(value: np.ndarray) -> np.ndarray:
            values = np.array(tensor.data)
            values[place] = value
            return values

        onwards = Onwards(self.replay, tensor, rest)
        entry = Tensor(np.array(tensor.data[place])).requires_grad_()
        return check(onwards, np.ones(self.loss.shape), entry, np.array(self.gradient(tensor)[place]))

    def check_inside(self, call: Call, rest: Rest, value: np.ndarray, gradient: np.ndarray) -> Check:
        """The gradient of the loss with respect to a quantity inside a layer; `rest` is the layer from there on."""
        onwards = Onwards(self.replay, call.output, rest)
        return check(onwards, np.ones(self.loss.shape), Tensor(value).requires_grad_(), gradient)

    def check_local(self, call: Call) -> Check | None:
        """The derivative of one layer's rule: of a weighted sum of its result."""
        tensors = [t for t in (*call.inputs, *self.own_parameters(call).values()) if t.node is not None]
        result = call.output
        if result.node is None or not tensors:
            return None
        weights = (Key(0) / "weights").generator().standard_normal(result.shape)
        bars = gradients(result, tensors, weights)
        replay = Replay(result)
        checks = [check(replay, weights, t, np.asarray(b.data)) for t, b in zip(tensors, bars, strict=True)]
        return max(checks, key=lambda c: (not c, c.error / c.tolerance))

    def own_parameters(self, call: Call) -> dict[str, Tensor]:
        """The parameters of a layer, by their own names; of a whole, also those of its parts, "out_proj.weight"."""
        held = () if call.module is None else call.module.named_parameters()
        return {name: p for name, p in held if "." not in name or isinstance(call.module, WHOLE)}

    def slope(self, call: Call) -> np.ndarray:
        """f'(Z) of an entry-by-entry layer, or the mask of dropout: its pull-back of ones."""
        if call.output.node is None or call.passes:
            return np.full(call.output.shape, float(call.passes))
        return np.asarray(gradients(call.output, call.inputs[0], np.ones(call.output.shape)).data)


def variable(x: np.ndarray) -> Tensor:
    """An input of a model: whether dL/dx is asked for depends on whether it is made of fractions."""
    return Tensor(x).requires_grad_() if x.dtype.kind == "f" else Tensor(x)


def mark(tensor: Tensor) -> Any:
    """What tells one quantity from another: its node, or itself where it has none."""
    if tensor.node is None:
        return id(tensor)
    return (tensor.node, tensor.index) if tensor.index else tensor.node
