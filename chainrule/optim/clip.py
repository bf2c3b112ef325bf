"""Clipping: gradients made smaller before a step, entry by entry or as a whole."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

import numpy as np

from chainrule.backends import backend_of
from chainrule.base.errors import NumericalError
from chainrule.core.stack import stack
from chainrule.nn import Parameter
from chainrule.optim.limits import POSITIVE


class HasParameters(Protocol):
    """A module, an optimiser: what has parameters."""

    def parameters(self) -> Iterable[Parameter]: ...


Owner = HasParameters | Parameter | Iterable[Parameter]


def clip_grad_norm(of: Owner, max_norm: float, *, error_if_nonfinite: bool = False) -> float:
    """Shorten the gradient to norm τ where it is longer, keeping its direction; the norm it had before.

        g ← g · min(1, τ/‖g‖),   ‖g‖ over all parameters together

    `of` is a module, an optimiser, or parameters; those without a gradient do not count. A gradient whose
    norm is NaN or infinite is left as it is, for no factor would mend it. 000 (8.34), (11.7); 004 §4.5.5.
    (PyTorch divides by ‖g‖ + 1e-6 and so ends a little below τ.)

    >>> import chainrule as cr
    >>> w = cr.nn.Parameter([1.0, 1.0])
    >>> (w * [3.0, 4.0]).sum().backward()
    >>> clip_grad_norm([w], 1.0), w.grad.data.round(6).tolist()
    (5.0, [0.6000000238418579, 0.800000011920929])

    Raises:
        OptionError: τ is not positive.
        NumericalError: the norm is NaN or infinite, with `error_if_nonfinite`.
    """
    max_norm = POSITIVE("clip_grad_norm", "max_norm", max_norm)
    parameters = _parameters(of)
    if stack.recorder is not None:
        return stack.recorder.act("clip_grad_norm", None, partial(clip_grad_norm, of, max_norm), parameters)
    gradients = gradients_of(parameters)
    norm = norm_of(gradients)
    if not math.isfinite(norm):
        if error_if_nonfinite:
            raise NumericalError(f"The gradient's norm is {norm}.", **_worst(parameters))
    elif norm > max_norm:
        changed_in_place(parameters, lambda g, out: backend_of(g).xp.multiply(g, max_norm / norm, out=out))
    return norm


def clip_grad_value(of: Owner, limit: float) -> None:
    """Bring every entry of the gradient into [−limit, limit]; its direction may change.

    `of` is a module, an optimiser, or parameters.

    Raises:
        OptionError: the limit is not positive.
    """
    limit = POSITIVE("clip_grad_value", "limit", limit)
    parameters = _parameters(of)
    if stack.recorder is not None:
        stack.recorder.act("clip_grad_value", None, partial(clip_grad_value, of, limit), parameters)
        return
    changed_in_place(parameters, lambda g, out: backend_of(g).xp.clip(g, -limit, limit, out=out))


def grad_norm(of: Owner) -> float:
    """The Euclidean norm ‖g‖ of the whole gradient, of all parameters that have one."""
    return norm_of(gradients_of(_parameters(of)))


def norm_of(arrays: Iterable[np.ndarray]) -> float:
    """The Euclidean norm of arrays taken together: √Σ x²; in float64 where squares overflow their dtype."""
    arrays = list(arrays)
    with np.errstate(over="ignore", invalid="ignore"):
        norm = math.sqrt(sum(map(_squared, arrays)))
        if math.isfinite(norm):
            return norm
        wide = (backend_of(x).to_numpy(x).astype(np.float64) for x in arrays)
        return math.hypot(*(float(np.linalg.norm(x.ravel())) for x in wide))


def _squared(x: Any) -> float:
    if isinstance(x, np.ndarray):
        return float(np.vdot(x, x))
    np_ = backend_of(x).xp
    return float(np_.sum(np_.multiply(x, x)))


def _parameters(of: Owner) -> list[Parameter]:
    if isinstance(of, Parameter):
        return [of]
    return list(of.parameters() if hasattr(of, "parameters") else of)  # type: ignore[union-attr, arg-type]


def gradients_of(parameters: list[Parameter]) -> list[np.ndarray]:
    """The gradients as arrays to change in place: few and long where parameters share a buffer."""
    gradients: list[np.ndarray] = []
    rest = {id(p): p for p in parameters}
    for flat in {id(p.node.flat): p.node.flat for p in parameters}.values():
        if flat is not None and all(id(p) in rest and p.node.flat is flat for p in flat.parameters):
            gradients += [flat.grads[run] for run in flat.runs()]
            rest = {i: p for i, p in rest.items() if p.node.flat is not flat}
    return gradients + [p.node.buffer for p in rest.values() if p.node.filled]


def changed_in_place(parameters: list[Parameter], change: Callable[..., Any]) -> None:
    """Put changed gradients in the place of those there were: `change(g, out)`."""
    gradients = gradients_of(parameters)
    if all(backend_of(g).in_place for g in gradients):
        for g in gradients:
            change(g, g)
    else:
        for p in parameters:
            if p.node.filled:
                p.node.buffer = change(p.node.buffer, None)
    _forget_records(parameters)


def _forget_records(parameters: list[Parameter]) -> None:
    """Drop the history of gradients made with `create_graph`: their values are no longer those recorded."""
    for p in parameters:
        p.node.recorded = None


def _worst(parameters: list[Parameter]) -> dict[str, Any]:
    for i, p in enumerate(parameters):
        gradient = backend_of(p.node.buffer).to_numpy(p.node.buffer)
        if p.node.filled and not np.isfinite(gradient).all():
            bad = int(np.count_nonzero(~np.isfinite(gradient)))
            return {"first": f"parameter {i}, shape {p.shape}: {bad} of {p.size} entries are NaN or infinite"}
    return {}
