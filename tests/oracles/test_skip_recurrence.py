"""Residual RNN and highways, which no library has: their formulas in PyTorch's and JAX's own differentiation."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.base.keys import Key

TOLERANCE = 1e-10
"""float64 on both sides: rounding of a few hundred terms summed in other orders."""
CONFIGURATIONS = range(24)


def drawn(*path):
    return (Key(0) / "skip recurrence" / "/".join(map(str, path))).generator()


def agree(ours, theirs, what):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, what
    assert np.abs(ours - theirs).max(initial=0) <= TOLERANCE * max(1.0, np.abs(theirs).max(initial=0)), what


def sizes(rng):
    return (int(v) for v in rng.integers(1, 6, 4))  # n, T, in, h


# --- PyTorch: loops over its own operations -----------------------------------------------------------


def residual_step(torch, x, h, w, u, q, b, *, phi):
    return h @ q.T + phi(x @ w.T + h @ u.T + b)


def highway_step(torch, x, h, w, u, b, *, phi, carry):
    gate, new = (x @ w.T + h @ u.T + b).chunk(2, -1)
    gate = torch.sigmoid(gate)
    return gate * phi(new) + (1 - gate) * (h if carry == "state" else x)


def looped(torch, step, x, h, *weights, mask, reverse, **settings):
    rows = [None] * x.shape[1]
    for t in range(x.shape[1])[:: -1 if reverse else 1]:
        new = step(torch, x[:, t], h, *weights, **settings)
        rows[t] = torch.where(mask[:, t, None], new, 0.0)
        h = torch.where(mask[:, t, None], new, h)
    return torch.stack(rows, 1), h


@pytest.mark.parametrize("kind", ["residual_rnn", "highway_rnn"])
def test_sequences_are_pytorchs_loops(kind):
    torch = pytest.importorskip("torch")
    for i in CONFIGURATIONS:
        rng = drawn(kind, i)
        n, length, inputs, size = sizes(rng)
        name, reverse = ("tanh", "relu")[i % 2], i % 3 == 0
        settings = {"nonlinearity": name, "reverse": reverse}
        theirs = {"phi": getattr(torch, name), "reverse": reverse}
        if kind == "highway_rnn":
            carry = settings["carry"] = theirs["carry"] = ("state", "input")[i // 2 % 2]
            inputs = size if carry == "input" else inputs
        gates = 1 + (kind == "highway_rnn")
        skip = [(size, size)] if gates == 1 else []
        shapes = [(n, length, inputs), (n, size), (gates * size, inputs), (gates * size, size), *skip, (gates * size,)]
        arrays = [rng.standard_normal(shape) for shape in shapes]
        mask = rng.random((n, length)) < (1.0 if i % 4 == 0 else 0.6)
        a = [cr.tensor(v, requires_grad=True) for v in arrays]
        b = [torch.tensor(v, requires_grad=True) for v in arrays]
        y, last = getattr(cr, kind)(*a, mask=mask, **settings)
        step = residual_step if gates == 1 else highway_step
        v, end = looped(torch, step, *b, mask=torch.tensor(mask), **theirs)
        agree(y, v.detach(), f"{kind} {settings}")
        agree(last, end.detach(), f"{kind} {settings}")
        bars = [rng.standard_normal(y.shape), rng.standard_normal(last.shape)]
        ((y * bars[0]).sum() + (last * bars[1]).sum()).backward()
        ((v * torch.tensor(bars[0])).sum() + (end * torch.tensor(bars[1])).sum()).backward()
        for k, (mine, other) in enumerate(zip(a, b, strict=True)):
            agree(mine.grad, other.grad, f"gradient {k} of {kind} {settings}")


@pytest.mark.parametrize("name", ["tanh", "relu", "gelu"])
def test_the_highway_layer_is_pytorchs_operations(name):
    torch = pytest.importorskip("torch")
    for i in range(8):
        rng = drawn("layer", name, i)
        layer = nn.Highway(int(rng.integers(1, 6)), name).astype("float64")
        shape = (*rng.integers(1, 5, int(rng.integers(0, 3))), layer.features)
        x = rng.standard_normal(shape)
        mine, other = cr.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        p = {k: torch.tensor(v, requires_grad=True) for k, v in layer.state_dict().items()}
        t = torch.sigmoid(other @ p["gate_weight"].T + p["gate_bias"])
        phi = torch.nn.functional.gelu if name == "gelu" else getattr(torch, name)
        theirs = phi(other @ p["weight"].T + p["bias"]) * t + other * (1 - t)
        ours, bar = layer(mine), rng.standard_normal(shape)
        agree(ours, theirs.detach(), name)
        (ours * bar).sum().backward()
        (theirs * torch.tensor(bar)).sum().backward()
        agree(mine.grad, other.grad, f"{name} input")
        for k, parameter in layer.named_parameters():
            agree(parameter.grad, p[k].grad, f"{name} {k}")


# --- JAX: lax.scan, to order 2 ------------------------------------------------------------------------


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
