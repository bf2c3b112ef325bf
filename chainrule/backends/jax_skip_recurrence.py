"""Recurrences with a way around the nonlinearity in JAX: `chainrule.ops.residual_rnn` and `highway_rnn`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from chainrule.backends.jax_sequences import (
    before,
    bias_bar,
    by_example,
    by_time,
    compiled,
    kept,
    mapped,
    parts,
    project,
    run,
    shown_steps,
    weight_bar,
)


def _bent(z: Any, nonlinearity: str) -> Any:
    return jnp.tanh(z) if nonlinearity == "tanh" else jax.nn.relu(z)


def _slope(y: Any, nonlinearity: str) -> Any:
    """φ' of an activation y."""
    return 1 - y * y if nonlinearity == "tanh" else (y > 0).astype(y.dtype)


@compiled("nonlinearity", "reverse")
def residual_rnn(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, w_skip: Any, b: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool, out: Any = None,
) -> tuple[Any, Any]:  # fmt: skip
    """States and activations of all steps."""

    def step(h: Any, inputs: Any) -> Any:
        z, shown = inputs
        a = _bent(z + mapped(h, w_hh), nonlinearity)
        h = kept(shown, mapped(h, w_skip) + a, h)
        return h, (h, a)

    hs, a = run(step, h0, (project(x, w_ih, b), shown_steps(mask)), reverse)[1]
    return by_example(hs), by_example(a)


@compiled("nonlinearity", "reverse")
def residual_rnn_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, w_skip: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool, out: Any = None,
) -> tuple[Any, ...]:  # fmt: skip
    """δ of all steps, and the cotangents of h₀, the weights and the bias."""

    def step(dh: Any, inputs: Any) -> Any:
        h_in, a_in, slope, shown = inputs
        dh = dh + h_in
        arrived = kept(shown, dh, 0.0)
        delta = slope * (arrived + a_in)
        return delta @ w_hh + arrived @ w_skip + (dh - arrived), (delta, arrived)

    given = by_time(h_bar), by_time(a_bar), _slope(by_time(a), nonlinearity), shown_steps(mask)
    dh, (delta, arrived) = run(step, jnp.zeros_like(h0), given, not reverse)
    earlier = before(h0, by_time(h), reverse)
    weights = weight_bar(delta, by_time(x)), weight_bar(delta, earlier), weight_bar(arrived, earlier), bias_bar(delta)
    return by_example(delta), dh, *weights


@compiled("carry", "nonlinearity", "reverse")
def highway_rnn(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *,
    carry: str, nonlinearity: str, reverse: bool, out: Any = None,
) -> tuple[Any, Any]:  # fmt: skip
    """States, and gate and candidate side by side, of all steps."""

    def step(h: Any, inputs: Any) -> Any:
        z, x_t, shown = inputs
        t, n = parts(z + mapped(h, w_hh), 2)
        t, n = jax.nn.sigmoid(t), _bent(n, nonlinearity)
        carried = h if carry == "state" else x_t
        h = kept(shown, carried + t * (n - carried), h)
        return h, (h, jnp.concatenate([t, n], -1))

    hs, a = run(step, h0, (project(x, w_ih, b), by_time(x), shown_steps(mask)), reverse)[1]
    return by_example(hs), by_example(a)


@compiled("carry", "nonlinearity", "reverse")
def highway_rnn_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    carry: str, nonlinearity: str, reverse: bool, out: Any = None,
) -> tuple[Any, ...]:  # fmt: skip
    """δ and c̄ of all steps, and the cotangents of h₀, the weights and the bias."""

    def step(dh: Any, inputs: Any) -> Any:
        h_in, a_in, acts, slope, past, shown = inputs
        dh = dh + h_in
        arrived, (t, n), (t_in, n_in) = kept(shown, dh, 0.0), parts(acts, 2), parts(a_in, 2)
        from_gate = (arrived * (n - past) + t_in) * t * (1 - t)
        delta = jnp.concatenate([from_gate, (arrived * t + n_in) * slope], -1)
        carried = arrived * (1 - t)
        back = delta @ w_hh + (dh - arrived)
        return back + carried if carry == "state" else back, (delta, carried)

    acts, earlier = by_time(a), before(h0, by_time(h), reverse)
    past = earlier if carry == "state" else by_time(x)
    given = by_time(h_bar), by_time(a_bar), acts, _slope(parts(acts, 2)[1], nonlinearity), past, shown_steps(mask)
    dh, (delta, carried) = run(step, jnp.zeros_like(h0), given, not reverse)
    weights = weight_bar(delta, by_time(x)), weight_bar(delta, earlier), bias_bar(delta)
    return by_example(delta), by_example(carried), dh, *weights


KERNELS = {
    "highway_rnn": highway_rnn,
    "highway_rnn_back": highway_rnn_back,
    "residual_rnn": residual_rnn,
    "residual_rnn_back": residual_rnn_back,
}
