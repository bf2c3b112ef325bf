"""Recurrences in JAX, by the formulas of `chainrule.ops.rnn`, `lstm`, `gru` and `chung_gru`."""

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

sigmoid = jax.nn.sigmoid

# The plain recurrent network.


@compiled("nonlinearity", "reverse")
def rnn(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool, out: Any = None,
) -> Any:  # fmt: skip
    """States of all steps."""
    bend = jnp.tanh if nonlinearity == "tanh" else jax.nn.relu

    def step(h: Any, inputs: Any) -> Any:
        z, shown = inputs
        h = kept(shown, bend(z + mapped(h, w_hh)), h)
        return h, h

    return by_example(run(step, h0, (project(x, w_ih, b), shown_steps(mask)), reverse)[1])


@compiled("nonlinearity", "reverse")
def rnn_back(
    h_bar: Any, h: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    nonlinearity: str, reverse: bool, out: Any = None,
) -> tuple[Any, ...]:  # fmt: skip
    """δ of all steps, and the cotangents of h₀, the weights and the bias."""
    hs = by_time(h)
    slopes = 1 - hs * hs if nonlinearity == "tanh" else (hs > 0).astype(hs.dtype)

    def step(dh: Any, inputs: Any) -> Any:
        h_in, slope, shown = inputs
        dh = dh + h_in
        delta = kept(shown, slope * dh, 0.0)
        return delta @ w_hh + kept(shown, 0.0, dh), delta

    steps = by_time(h_bar), slopes, shown_steps(mask)
    dh, delta = run(step, jnp.zeros_like(h0), steps, not reverse)
    weights = weight_bar(delta, by_time(x)), weight_bar(delta, before(h0, hs, reverse)), bias_bar(delta)
    return by_example(delta), dh, *weights


# Long short-term memory.


@compiled("reverse")
def lstm(
    x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, reverse: bool, out: Any = None
) -> tuple[Any, ...]:
    """States, cells and gates of all steps."""

    def step(state: Any, inputs: Any) -> Any:
        (h, c), (z, shown) = state, inputs
        i, f, g, o = parts(z + mapped(h, w_hh), 4)
        i, f, g, o = sigmoid(i), sigmoid(f), jnp.tanh(g), sigmoid(o)
        new = f * c + i * g
        h, c = kept(shown, o * jnp.tanh(new), h), kept(shown, new, c)
        return (h, c), (h, c, jnp.concatenate([i, f, g, o], -1))

    results = run(step, (h0, c0), (project(x, w_ih, b), shown_steps(mask)), reverse)[1]
    return tuple(map(by_example, results))


@compiled("reverse")
def lstm_back(
    h_bar: Any, c_bar: Any, gates_bar: Any, h: Any, c: Any, gates: Any, x: Any, h0: Any, c0: Any,
    w_hh: Any, mask: Any = None, *, reverse: bool, out: Any = None,
) -> tuple[Any, ...]:  # fmt: skip
    """δ of all steps, and the cotangents of h₀, c₀, the weights and the bias."""

    def step(bars: Any, inputs: Any) -> Any:
        h_in, c_in, a_in, a, squashed, earlier, shown = inputs
        dh, dc = bars[0] + h_in, bars[1] + c_in
        held = kept(shown, 0.0, dh), kept(shown, 0.0, dc)
        dh, dc = kept(shown, dh, 0.0), kept(shown, dc, 0.0)
        i, f, g, o = parts(a, 4)
        dc = dc + dh * o * (1 - squashed * squashed)
        inner = jnp.concatenate([dc * g, dc * earlier, dc * i, dh * squashed], -1) + a_in
        delta = inner * jnp.concatenate([i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o)], -1)
        return (delta @ w_hh + held[0], dc * f + held[1]), delta

    hs, cs = by_time(h), by_time(c)
    given = (*map(by_time, (h_bar, c_bar, gates_bar, gates)), jnp.tanh(cs), before(c0, cs, reverse), shown_steps(mask))
    (dh, dc), delta = run(step, (jnp.zeros_like(h0), jnp.zeros_like(c0)), given, not reverse)
    weights = weight_bar(delta, by_time(x)), weight_bar(delta, before(h0, hs, reverse)), bias_bar(delta)
    return by_example(delta), dh, dc, *weights


# PyTorch's gated recurrent unit.


@compiled("reverse")
def gru(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, mask: Any = None, *, reverse: bool, out: Any = None
) -> tuple[Any, Any]:
    """States, and r, z, n and m side by side, of all steps."""

    def step(h: Any, inputs: Any) -> Any:
        (r, z, n), shown = parts(inputs[0], 3), inputs[1]
        r_h, z_h, m = parts(mapped(h, w_hh) + b_hh[..., None, :], 3)
        r, z = sigmoid(r + r_h), sigmoid(z + z_h)
        n = jnp.tanh(n + r * m)
        h = kept(shown, n + z * (h - n), h)
        return h, (h, jnp.concatenate([r, z, n, m], -1))

    hs, a = run(step, h0, (project(x, w_ih, b_ih), shown_steps(mask)), reverse)[1]
    return by_example(hs), by_example(a)


@compiled("reverse")
def gru_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    reverse: bool, out: Any = None,
) -> tuple[Any, ...]:  # fmt: skip
    """δˣ of all steps, and the cotangents of h₀, the weights and both biases."""

    def step(dh: Any, inputs: Any) -> Any:
        h_in, a_in, acts, earlier, shown = inputs
        dh = dh + h_in
        held, dh = kept(shown, 0.0, dh), kept(shown, dh, 0.0)
        (r, z, n, m), (r_in, z_in, n_in, m_in) = parts(acts, 4), parts(a_in, 4)
        dn = (dh * (1 - z) + n_in) * (1 - n * n)
        dr = (dn * m + r_in) * r * (1 - r)
        dz = (dh * (earlier - n) + z_in) * z * (1 - z)
        from_x, from_h = (jnp.concatenate([dr, dz, last], -1) for last in (dn, dn * r + m_in))
        return dh * z + from_h @ w_hh + held, (from_x, from_h)

    hs = by_time(h)
    earlier = before(h0, hs, reverse)
    given = (*map(by_time, (h_bar, a_bar, a)), earlier, shown_steps(mask))
    dh, (from_x, from_h) = run(step, jnp.zeros_like(h0), given, not reverse)
    weights = weight_bar(from_x, by_time(x)), weight_bar(from_h, earlier), bias_bar(from_x), bias_bar(from_h)
    return by_example(from_x), dh, *weights


# The documents' gated recurrent unit.


@compiled("reverse")
def chung_gru(
    x: Any, h0: Any, w_ih: Any, w_hh: Any, b: Any, mask: Any = None, *, reverse: bool, out: Any = None
) -> tuple[Any, Any]:
    """States, and r, z, n side by side, of all steps."""
    u, u_new = w_hh[..., : 2 * h0.shape[-1], :], w_hh[..., 2 * h0.shape[-1] :, :]

    def step(h: Any, inputs: Any) -> Any:
        (r, z, n), shown = parts(inputs[0], 3), inputs[1]
        r_h, z_h = parts(mapped(h, u), 2)
        r, z = sigmoid(r + r_h), sigmoid(z + z_h)
        n = jnp.tanh(n + mapped(r * h, u_new))
        h = kept(shown, h + z * (n - h), h)
        return h, (h, jnp.concatenate([r, z, n], -1))

    hs, a = run(step, h0, (project(x, w_ih, b), shown_steps(mask)), reverse)[1]
    return by_example(hs), by_example(a)


@compiled("reverse")
def chung_gru_back(
    h_bar: Any, a_bar: Any, h: Any, a: Any, x: Any, h0: Any, w_hh: Any, mask: Any = None, *,
    reverse: bool, out: Any = None,
) -> tuple[Any, ...]:  # fmt: skip
    """δ of all steps, and the cotangents of h₀, the weights and the bias."""
    size = h0.shape[-1]
    u, u_new = w_hh[..., : 2 * size, :], w_hh[..., 2 * size :, :]

    def step(dh: Any, inputs: Any) -> Any:
        h_in, a_in, acts, earlier, shown = inputs
        dh = dh + h_in
        held, dh = kept(shown, 0.0, dh), kept(shown, dh, 0.0)
        (r, z, n), (r_in, z_in, n_in) = parts(acts, 3), parts(a_in, 3)
        dn = (dh * z + n_in) * (1 - n * n)
        q = dn @ u_new
        dr = (q * earlier + r_in) * r * (1 - r)
        dz = (dh * (n - earlier) + z_in) * z * (1 - z)
        gates = jnp.concatenate([dr, dz], -1)
        return dh * (1 - z) + q * r + gates @ u + held, jnp.concatenate([gates, dn], -1)

    hs, acts = by_time(h), by_time(a)
    earlier = before(h0, hs, reverse)
    given = (*map(by_time, (h_bar, a_bar)), acts, earlier, shown_steps(mask))
    dh, delta = run(step, jnp.zeros_like(h0), given, not reverse)
    of_gates = weight_bar(delta[..., : 2 * size], earlier)
    of_new = weight_bar(delta[..., 2 * size :], acts[..., :size] * earlier)
    weights = weight_bar(delta, by_time(x)), jnp.concatenate([of_gates, of_new], -2), bias_bar(delta)
    return by_example(delta), dh, *weights


KERNELS = {
    "rnn": rnn,
    "rnn_back": rnn_back,
    "lstm": lstm,
    "lstm_back": lstm_back,
    "gru": gru,
    "gru_back": gru_back,
    "chung_gru": chung_gru,
    "chung_gru_back": chung_gru_back,
}
