"""000 §11.3: half precision, the loss scale, and what becomes of a gradient of 1e-5."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import optim

HALF = np.float16


@pytest.mark.worked("000-11.3a")
def test_the_range_of_float16(worked):
    worked("000-11.3a").check([float(np.finfo(HALF).tiny), float(np.finfo(HALF).max)])


@pytest.mark.worked("000-11.3b")
def test_a_gradient_of_1e_5_loses_digits_and_does_not_vanish(worked):
    """§11.3.2 says that it becomes 0: with subnormal numbers only what is at most 2⁻²⁵ does."""
    x = cr.tensor([1.0], dtype="float16", requires_grad=True)
    (x.astype("float32") * 1e-5).sum().backward()
    assert x.grad.dtype == HALF
    worked("000-11.3b").check(float(x.grad[0]) * 1e5)
    y = cr.tensor([1.0], dtype="float16", requires_grad=True)
    (y.astype("float32") * 2.0**-25).sum().backward()
    assert float(y.grad[0]) == 0


@pytest.mark.worked("000-11.8")
def test_the_loss_scale_saves_what_underflows(worked):
    """A gradient of 2⁻²⁵ is 0 in float16, and right with the loss scaled by 2¹⁵."""
    worked("000-11.8").check(2.0**15)

    def moved_by(scale):
        w = cr.nn.Parameter([1.0])
        optimizer = optim.SGD([w], lr=2.0**20)
        scale.backward((w.astype("float16").astype("float32") * 2.0**-25).sum())
        assert scale.step(optimizer)
        return 1 - float(w[0])

    assert moved_by(optim.LossScale(1.0)) == 0
    assert moved_by(optim.LossScale(2.0**15)) == 2.0**-5


def test_an_overflow_halves_the_scale_and_skips_the_step():
    w = cr.nn.Parameter([1.0])
    optimizer, scale = optim.SGD([w], lr=0.5), optim.LossScale(2.0**15, interval=2)
    steps = []
    for _ in range(4):
        scale.backward((w.astype("float16").astype("float32") * 2.0).sum())  # 2¹⁵ · 2 > 65504
        steps.append((scale.step(optimizer), scale.scale))
    assert steps == [(False, 2.0**14), (True, 2.0**14), (True, 2.0**15), (False, 2.0**14)]
    assert (optimizer.steps, float(w[0])) == (2, -1.0)
    again = optim.LossScale()
    again.load_state_dict(scale.state_dict())
    assert repr(again) == "LossScale(16384, factor=2, interval=2000)"


def test_a_small_update_is_lost_in_float16_and_kept_in_whole_weights():
    """1 + 2⁻¹² rounds to 1 in float16 (11 significant bits)."""
    half, whole = np.ones(1, HALF), np.ones(1, np.float32)
    for _ in range(16):
        half, whole = half + HALF(2.0**-12), whole + np.float32(2.0**-12)
    assert (half[0], whole[0]) == (1, 1 + 2.0**-8)
