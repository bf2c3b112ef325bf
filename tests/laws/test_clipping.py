"""Clipping: what it returns and leaves, however the parameters are named and wherever their gradients lie."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.optim import SGD, clip_grad_norm, clip_grad_value, grad_norm

ROUNDING = 1e-12  # float64, a few dozen operations


def weights(*shapes, dtype=np.float64):
    generator = cr.Key(0).generator()
    return [cr.nn.Parameter(generator.standard_normal(shape).astype(dtype)) for shape in shapes]


def give_gradients(parameters, seed):
    generator = cr.Key(seed).generator()
    for p in parameters:
        p.grad = generator.standard_normal(p.shape).astype(p.dtype)


def ways_to_name(parameters):
    holder = cr.nn.Module()
    holder.first, holder.second = parameters
    return [lambda: parameters, lambda: holder, lambda: SGD(parameters), lambda: (p for p in parameters)]


@pytest.mark.parametrize("way", range(4))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clip_by_norm(way, dtype):
    parameters = weights((3, 2), 4, dtype=dtype)
    of = ways_to_name(parameters)[way]
    give_gradients(parameters, 1)
    flat = np.concatenate([p.grad.data.ravel() for p in parameters])
    norm = np.linalg.norm(flat)
    rel = 1e-6 if dtype == np.float32 else ROUNDING
    assert clip_grad_norm(of(), 2 * norm) == pytest.approx(norm, rel=rel)
    np.testing.assert_array_equal(np.concatenate([p.grad.data.ravel() for p in parameters]), flat)
    assert clip_grad_norm(of(), 0.5) == pytest.approx(norm, rel=rel)
    np.testing.assert_allclose(np.concatenate([p.grad.data.ravel() for p in parameters]), flat * (0.5 / norm), rtol=rel)
    assert grad_norm(of()) == pytest.approx(0.5, rel=rel)


@pytest.mark.parametrize("way", range(4))
def test_clip_by_value(way):
    parameters = weights((3, 2), 4)
    of = ways_to_name(parameters)[way]
    give_gradients(parameters, 1)
    wanted = [np.clip(p.grad.data, -0.3, 0.3) for p in parameters]
    clip_grad_value(of(), 0.3)
    for p, g in zip(parameters, wanted, strict=True):
        np.testing.assert_array_equal(p.grad.data, g)


def test_clipping_counts_only_gradients_that_are_there():
    first, second = weights(2, 3)
    optimizer = SGD([first, second])
    assert clip_grad_norm(optimizer, 1.0) == grad_norm([first]) == 0.0
    give_gradients([second], 0)
    optimizer.zero_grad()
    first.grad = np.array([3.0, 4.0])
    assert clip_grad_norm(optimizer, 1.0) == 5.0
    assert second.grad is None
    np.testing.assert_allclose(first.grad.data, [0.6, 0.8], rtol=ROUNDING)


def test_a_large_norm_does_not_overflow():
    (w,) = weights(2, dtype=np.float32)
    w.grad = np.array([3e30, 4e30], np.float32)
    assert clip_grad_norm(w, 1.0) == pytest.approx(5e30)
    np.testing.assert_allclose(w.grad.data, [0.6, 0.8], rtol=1e-6)


def test_a_gradient_that_is_not_finite_is_left_as_it_is():
    (w,) = weights(2)
    for bad in (np.nan, np.inf):
        w.grad = np.array([bad, 4.0])
        assert not np.isfinite(clip_grad_norm(w, 1.0))
        np.testing.assert_array_equal(w.grad.data, [bad, 4.0])


def test_a_clipped_gradient_has_no_history():
    (w,) = weights(2)
    (w * w * w).sum().backward(create_graph=True)
    clip_grad_norm(w, 0.1)
    assert np.linalg.norm(w.grad.data) == pytest.approx(0.1)


def test_clipping_beside_another_optimizers_buffer():
    """Parameters that were moved out of a shared buffer are clipped one by one."""
    parameters = weights(3, 2)
    SGD(parameters)
    SGD(parameters[1:])
    give_gradients(parameters, 0)
    before = grad_norm(parameters)
    assert clip_grad_norm(parameters, 0.5) == before > 0.5
    assert grad_norm(parameters) == pytest.approx(0.5)
