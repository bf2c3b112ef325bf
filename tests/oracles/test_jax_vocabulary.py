"""JAX as second oracle: einsum and linear algebra; values, gradients and tangents of them."""

import numpy as np
import pytest

import chainrule as cr

jax = pytest.importorskip("jax")
jnp = jax.numpy

TOLERANCE = 1e-9
"""Rounding times the condition of the drawn matrices (below 100), after two differentiations."""


@pytest.fixture(autouse=True)
def float64():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def spread(draw, *shape):
    return draw.uniform(-1, 1, shape)


def regular(draw, *shape):
    return spread(draw, *shape) + 2.5 * np.eye(shape[-1])


def with_values(draw, m, n):
    k = min(m, n)
    u, v = (np.linalg.qr(draw.standard_normal((size, k)))[0] for size in (m, n))
    return (u * np.arange(1, k + 1)) @ v.T


def definite(draw, n):
    q = np.linalg.qr(draw.standard_normal((n, n)))[0]
    return (q * np.arange(1, n + 1)) @ q.T


CASES = {
    "cholesky": (lambda d: [definite(d, 3)], cr.cholesky, jnp.linalg.cholesky),
    "det": (lambda d: [regular(d, 3, 3)], cr.det, jnp.linalg.det),
    "eigvalsh": (lambda d: [definite(d, 3)], cr.eigvalsh, jnp.linalg.eigvalsh),
    "eigh": (
        lambda d: [definite(d, 3)],
        lambda a: cr.eigh(a)[1] ** 2,
        lambda a: jnp.linalg.eigh(a)[1] ** 2,
    ),
    "einsum": (
        lambda d: [spread(d, 2, 3), spread(d, 3, 4), spread(d, 4, 2)],
        lambda *xs: cr.einsum("ij,jk,ki->k", *xs),
        lambda *xs: jnp.einsum("ij,jk,ki->k", *xs),
    ),
    "einsum of heads": (
        lambda d: [spread(d, 2, 2, 3, 4), spread(d, 2, 2, 5, 4)],
        lambda q, k: cr.einsum("bhqd,bhkd->bhqk", q, k),
        lambda q, k: jnp.einsum("bhqd,bhkd->bhqk", q, k),
    ),
    "einsum with a diagonal": (
        lambda d: [spread(d, 3, 3), spread(d, 3, 2)],
        lambda a, b: cr.einsum("ii,ij->j", a, b),
        lambda a, b: jnp.einsum("ii,ij->j", a, b),
    ),
    "inv": (lambda d: [regular(d, 3, 3)], cr.inv, jnp.linalg.inv),
    "pinv": (lambda d: [with_values(d, 4, 2)], cr.pinv, jnp.linalg.pinv),
    "qr": (
        lambda d: [with_values(d, 4, 2)],
        lambda a: cr.concatenate([q**2 for q in cr.qr(a)]),
        lambda a: jnp.concatenate([q**2 for q in jnp.linalg.qr(a)]),
    ),
    "slogdet": (lambda d: [regular(d, 3, 3)], lambda a: cr.slogdet(a)[1], lambda a: jnp.linalg.slogdet(a)[1]),
    "solve": (lambda d: [regular(d, 3, 3), spread(d, 3, 2)], cr.solve, jnp.linalg.solve),
    "svd": (
        lambda d: [with_values(d, 3, 3)],
        lambda a: cr.svd(a)[0] ** 2 * cr.svd(a)[1],
        lambda a: (lambda u, s, vt: u**2 * s)(*jnp.linalg.svd(a)),
    ),
}


def close(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("name", CASES)
def test_value_tangent_gradient_and_hessian(name):
    arguments, ours, theirs = CASES[name]
    args = arguments(np.random.default_rng(0))
    dots = tuple(np.random.default_rng(9).standard_normal(a.shape) for a in args)
    dots = tuple(d + d.T for d in dots) if name in ("cholesky", "eigh", "eigvalsh") else dots
    places = tuple(range(len(args)))

    @jax.jit
    def of_theirs(*xs):
        loss = lambda *xs: jnp.sin(theirs(*xs)).sum()  # noqa: E731
        slopes = jax.grad(loss, places)
        moved = jax.jvp(lambda x: jax.grad(loss)(x, *xs[1:]), xs[:1], dots[:1])[1]
        return theirs(*xs), jax.jvp(theirs, xs, dots)[1], slopes(*xs), moved

    value, tangent, slopes, moved = of_theirs(*args)
    loss = lambda *xs: cr.sum(cr.sin(ours(*xs)))  # noqa: E731
    close(ours(*args), value)
    close(cr.jvp(ours, tuple(args), dots)[1], tangent)
    for got, slope in zip(cr.grad(loss, places)(*args), slopes, strict=True):
        close(got, slope)
    close(cr.hvp(lambda x: loss(x, *args[1:]), args[0], dots[0]), moved)
