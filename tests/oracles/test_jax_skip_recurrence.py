"""Residual RNN and highways, which no library has, to order 2: their formulas in JAX's own differentiation."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.keys import Key

TOLERANCE = 1e-10
"""float64 on both sides: rounding of a few hundred terms summed in other orders."""


def drawn(*path):
    return (Key(0) / "skip recurrence" / "/".join(map(str, path))).generator()


def agree(ours, theirs, what):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, what
    assert np.abs(ours - theirs).max(initial=0) <= TOLERANCE * max(1.0, np.abs(theirs).max(initial=0)), what


def curvature(module, f, *args):
    """The Hessian of a curved function of the results, in all arguments side by side."""
    return module.hessian(lambda flat: f(*parted(flat, args)))


def parted(flat, args):
    ends = np.cumsum([a.size for a in args])
    return [flat[int(e) - a.size : int(e)].reshape(a.shape) for e, a in zip(ends, args, strict=True)]


@pytest.mark.parametrize("kind", ["residual_rnn", "highway_rnn"])
def test_the_second_derivative_is_that_of_jaxs_scan(kind):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    jnp, rng, gates = jax.numpy, drawn(kind, "order 2"), 1 + (kind == "highway_rnn")
    skip = [(2, 2)] if gates == 1 else []
    shapes = [(2, 3, 3), (2, 2), (2 * gates, 3), (2 * gates, 2), *skip, (2 * gates,)]
    args = [rng.standard_normal(shape) for shape in shapes]

    def step(h, x, *weights):
        if gates == 1:
            w, u, q, b = weights
            return h @ q.T + jnp.tanh(x @ w.T + h @ u.T + b)
        w, u, b = weights
        gate, new = jnp.split(x @ w.T + h @ u.T + b, 2, -1)
        return jax.nn.sigmoid(gate) * jnp.tanh(new) + (1 - jax.nn.sigmoid(gate)) * h

    def theirs(x, h, *weights):
        def both(h, x):
            new = step(h, x, *weights)
            return new, new

        return jnp.sum(jnp.sin(jax.lax.scan(both, h, jnp.swapaxes(x, 0, 1))[1]))

    def ours(*xs):
        return cr.sum(cr.sin(getattr(cr, kind)(*xs)[0]))

    flat = np.concatenate([a.ravel() for a in args])
    agree(curvature(cr, ours, *args)(flat), curvature(jax, theirs, *args)(flat), kind)
