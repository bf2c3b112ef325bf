"""Optimisers and schedules: 000 chapters 6 to 8 and 13, 003 §9, 004 §3.7.6, with the right values."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses
from chainrule.optim import (
    SGD,
    Adam,
    AveragedMomentum,
    Cosine,
    Exponential,
    ExponentialSweep,
    InverseTime,
    NormalizedGD,
    RMSprop,
    StepDecay,
    VelocityMomentum,
    WarmRestarts,
    clip_grad_norm,
)

TEN_DIGITS = 5e-11  # half a unit of the last of ten decimals derived for 004
SEVEN_DIGITS = 5e-8  # and of seven
EXACT = 1e-12  # float64 rounding of a few operations on numbers near 1

# --- 000 chapter 7: the network 2-3-1 of chapter 6, binary cross-entropy, mean over four samples --------

X = np.array([[0.5, 0.2], [0.9, 0.8], [0.1, 0.3], [0.8, 0.9]])
Y = np.array([[0.0], [1.0], [0.0], [1.0]])
G1, G2 = np.array([0.0289, 0.0425, 0.0568]), np.array([0.0215, 0.0318, 0.0425])  # as printed in §7.3.2


class Network(cr.nn.Module):
    def __init__(self):
        self.w1 = cr.nn.Parameter(np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]))
        self.b1 = cr.nn.Parameter(np.array([0.01, 0.02, 0.03]))
        self.w2 = cr.nn.Parameter(np.array([[0.7, 0.8, 0.9]]))
        self.b2 = cr.nn.Parameter(np.array([0.1]))

    def forward(self, x):
        hidden = cr.relu(cr.affine(x, self.w1, self.b1))
        return cr.affine(hidden, self.w2, self.b2)

    def loss(self):
        return losses.binary_cross_entropy_with_logits(self(X), Y)


def train(optimizer, loss, steps):
    """The losses before each step and after the last."""
    seen = []
    for _ in range(steps):
        optimizer.zero_grad()
        now = loss()
        now.backward()
        optimizer.step()
        seen.append(now.item())
    return np.array([*seen, loss().item()])


@pytest.mark.worked("000-7.1", "000-7.2")
def test_one_step_at_two_rates(worked):
    """§7.1.1: the change of W₂ is linear in η."""
    for row, lr in (("000-7.1", 0.1), ("000-7.2", 0.5)):
        network = Network()
        before = network.w2.data[0].copy()
        train(SGD(network, lr=lr), network.loss, 1)
        worked(row).check(network.w2.data[0] - before)


@pytest.mark.worked("000-7.3", "000-7.3b")
def test_loss_curve_of_full_batch_descent(worked):
    """§7.1.2 (7.3), η = 0.1."""
    network = Network()
    curve = train(SGD(network, lr=0.1), network.loss, 5)
    worked("000-7.3b").check(curve)
    worked("000-7.3").check(curve[[0, 1, 5]])


@pytest.mark.worked("000-7.10", "000-7.12a", "000-7.12b", "000-7.13")
def test_momentum_from_the_gradients_as_printed(worked):
    """§7.3.2: heavy ball, μ = 0.9, η = 0.1, from rest."""
    w = cr.nn.Parameter(np.array([0.7, 0.8, 0.9]))
    optimizer = SGD([w], lr=0.1, momentum=0.9)
    velocity = optimizer.moments_of(w)["velocity"]
    w.grad = G1
    optimizer.step()
    worked("000-7.10").check(w.data)
    worked("000-7.12a").check(0.9 * velocity)
    w.grad = G2
    optimizer.step()
    worked("000-7.12b").check(velocity)
    worked("000-7.13").check(w.data)


@pytest.mark.worked("000-7.13r")
def test_momentum_with_the_true_gradients(worked):
    network = Network()
    optimizer = SGD(network, lr=0.1, momentum=0.9)
    velocity = optimizer.moments_of(network.w2)["velocity"]
    seen = []
    for _ in range(2):
        train(optimizer, network.loss, 1)
        seen += [velocity[0].copy(), network.w2.data[0].copy()]
    worked("000-7.13r").check(seen)


# --- 000 chapter 8, 003 §9 ------------------------------------------------------------------------------


@pytest.mark.worked("000-8.11")
def test_heavy_ball_is_a_weighted_sum(worked):
    """(8.11): under a constant gradient 1 the velocity is Σ μᵏ; the average of 003 §9.4 is 1 − μᵗ."""
    w, u = cr.nn.Parameter(np.zeros(1)), cr.nn.Parameter(np.zeros(1))
    heavy_ball, average = SGD([w], momentum=0.9), AveragedMomentum([u], momentum=0.9)
    for _ in range(6):
        w.grad = u.grad = np.ones(1)
        heavy_ball.step()
        average.step()
    worked("000-8.11").check(heavy_ball.moments_of(w)["velocity"][0])
    assert average.moments_of(u)["velocity"][0] == pytest.approx(1 - 0.9**6, rel=EXACT)


@pytest.mark.worked("000-8.20")
def test_first_step_of_adam(worked):
    """(8.20): η g/(|g| + ε), so ±η whatever the scale of g."""
    w = cr.nn.Parameter(np.zeros(2))
    optimizer = Adam([w], lr=0.001)
    w.grad = np.array([0.3, -4.0])
    optimizer.step()
    worked("000-8.20").check(-w.data)


@pytest.mark.worked("003-9.7")
def test_normalised_step(worked):
    w = cr.nn.Parameter(np.zeros(2))
    optimizer = NormalizedGD([w], lr=0.1)
    w.grad = np.array([3.0, -4.0])
    optimizer.step()
    worked("003-9.7").check(w.data)


@pytest.mark.worked("003-9.4")
def test_three_forms_of_momentum_walk_one_path():
    """§9.4: the average takes η/(1 − μ) for heavy ball's η; the third form needs no change."""
    ends = []
    for make in (
        lambda p: SGD(p, lr=0.05, momentum=0.9),
        lambda p: AveragedMomentum(p, lr=0.05 / (1 - 0.9), momentum=0.9),
        lambda p: VelocityMomentum(p, lr=0.05, momentum=0.9),
    ):
        network = Network()
        train(make(network), network.loss, 10)
        ends.append(np.concatenate([p.data.ravel() for p in network.parameters()]))
    np.testing.assert_allclose(ends[1], ends[0], rtol=EXACT)
    np.testing.assert_allclose(ends[2], ends[0], rtol=EXACT)


@pytest.mark.worked("002-21")
def test_weight_decay_is_half_lambda_and_all_parameters():
    """002 (20)-(21): the step on R + λ/2 ‖θ‖² is θ ← (1 − ηλ) θ − η ∇R, biases included."""
    decayed, by_hand = Network(), Network()
    train(SGD(decayed, lr=0.1, weight_decay=0.3), decayed.loss, 1)
    by_hand.loss().backward()
    for p, q in zip(decayed.parameters(), by_hand.parameters(), strict=True):
        np.testing.assert_allclose(p.data, (1 - 0.1 * 0.3) * q.data - 0.1 * q.grad.data, rtol=EXACT)


@pytest.mark.worked("002-24")
def test_a_sum_over_samples_is_n_times_the_rate():
    """002 (24) against (10): descent on the sum at η is descent on the mean at N η."""
    total, mean = Network(), Network()
    train(SGD(total, lr=0.1), lambda: len(X) * total.loss(), 3)
    train(SGD(mean, lr=0.1 * len(X)), mean.loss, 3)
    for p, q in zip(total.parameters(), mean.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=EXACT)


# --- 000 chapter 13 -------------------------------------------------------------------------------------


@pytest.mark.worked("000-13.x")
def test_rate_finder_and_cosine(worked):
    """(13.1) and (13.4)."""
    sweep, cosine = ExponentialSweep(1e-5, 1.0, 100), Cosine(0.1, 100, lr_min=0.001)
    worked("000-13.x").check([s(t) for s in (sweep, cosine) for t in (0, 50, 100)])


# --- 004 §3.7.6: values derived for E = w², w₀ = 1, η = 0.1, and for schedules with η₀ = 0.1 --------------


@pytest.mark.parametrize(
    ("make", "points", "within"),
    [
        (lambda w: VelocityMomentum(w, 0.1, 0.9), [0.8, 0.46, 0.062], EXACT),
        (
            lambda w: RMSprop(w, 0.1, 0.9, 1e-8, eps_inside_sqrt=True),
            [0.6837722379, 0.4988706118, 0.3691805583],
            TEN_DIGITS,
        ),
        (
            lambda w: Adam(w, 0.1, eps_inside_sqrt=True),
            [0.9000000001, 0.8004122279, 0.7015862718],
            TEN_DIGITS,
        ),
    ],
    ids=["momentum", "rmsprop", "adam"],
)
def test_three_steps_on_a_parabola(make, points, within):
    w = cr.nn.Parameter(np.array([1.0]))
    optimizer, seen = make([w]), []
    for _ in points:
        train(optimizer, lambda: (w * w).sum(), 1)
        seen.append(w.data.item())
    np.testing.assert_allclose(seen, points, rtol=0, atol=within)


@pytest.mark.parametrize(("inside", "factor"), [(True, 0.0100), (False, 0.990)])
def test_where_epsilon_stands_matters_for_small_gradients(inside, factor):
    """E33: first step of Adam with g = 10⁻⁶ and ε = 10⁻⁸, as a fraction of η, to three digits."""
    w = cr.nn.Parameter(np.zeros(1))
    optimizer = Adam([w], lr=1.0, eps=1e-8, eps_inside_sqrt=inside)
    w.grad = np.array([1e-6])
    optimizer.step()
    assert -w.data.item() == pytest.approx(factor, rel=5e-3)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (StepDecay(0.1, every=10, factor=0.5), {9: 0.1, 10: 0.05, 20: 0.025, 25: 0.025}),
        (Exponential(0.1, decay=0.05), {10: 0.0606531}),
        (InverseTime(0.1, decay=0.05), {10: 0.0666667}),
        (Cosine(0.1, steps=100), {25: 0.0853553, 50: 0.05, 75: 0.0146447, 100: 0.0}),
    ],
    ids=["step", "exponential", "inverse-time", "cosine"],
)
def test_schedules(schedule, rates):
    """(80)-(83)."""
    for step, rate in rates.items():
        assert schedule(step) == pytest.approx(rate, abs=SEVEN_DIGITS)


def test_cosine_is_no_restart():
    """E33: the bare (83) climbs to η₀/2 at 1.5 T and η₀ at 2 T; `Cosine` holds, `WarmRestarts` jumps."""

    def bare(t):
        return 0.1 / 2 * (1 + np.cos(np.pi * t / 100))

    assert (bare(150), bare(200)) == (pytest.approx(0.05), pytest.approx(0.1))
    assert [Cosine(0.1, 100)(t) for t in (150, 200)] == [0.0, 0.0]
    assert [WarmRestarts(0.1, 100)(t) for t in (100, 200)] == [0.1, 0.1]
    assert WarmRestarts(0.1, 100)(150) == pytest.approx(bare(50), rel=EXACT)


def test_clipping_by_norm():
    """004 §4.5.5: (3, 4) with τ = 1 becomes (0.6, 0.8)."""
    w = cr.nn.Parameter(np.zeros(2))
    w.grad = np.array([3.0, 4.0])
    assert clip_grad_norm(w, 1.0) == 5.0
    np.testing.assert_allclose(w.grad.data, [0.6, 0.8], rtol=EXACT)
