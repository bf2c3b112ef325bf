"""000 chapters 6 and 7 and 004 §2.4.4, Example 9, as `explain` tells them, errors put right."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.glass import EXAMPLES, one_neuron_chain, tiny_network
from chainrule.losses import binary_cross_entropy
from chainrule.nn import ReLU, Sequential, Sigmoid

INVENTORY_DIGITS = 1e-9  # the figures of 004 are kept to ten decimals

BATCH = {
    "000-6.36": "loss",
    "000-6.x-yhat": "y_hat",
    "000-6.56": "fc2.dW",
    "000-6.x-gb2": "fc2.db",
    "000-6.x-gW1": "fc1.dW",
    "000-6.x-gb1": "fc1.db",
    "000-6.60": "fc2.W.new",
    "000-6.61": "fc2.b.new",
    "000-6.63a": "fc1.W.new",
    "000-6.63b": "fc1.b.new",
}
SAMPLE_1 = {
    "000-6.15": "fc1.a",
    "000-6.19": "fc2.z",
    "000-6.21b": "y_hat",
    "000-6.23": "loss",
    "000-6.44": "fc2.delta",
    "000-6.47": "fc2.dW",
    "000-6.48": "fc2.db",
    "000-6.50": "fc1.delta",
    "000-6.53": "fc1.dW",
}
SAMPLE_2 = {"000-6.28": "fc1.a", "000-6.30": "fc2.z", "000-6.31": "y_hat", "000-6.32": "loss"}
SAMPLE_1_AFTER = {"000-6.64": "fc1.z", "000-6.65a": "fc2.z", "000-6.65b": "y_hat", "000-6.66": "loss"}

STEPS = [pytest.param(i, lr, marks=pytest.mark.worked(i)) for i, lr in (("000-7.1", 0.1), ("000-7.2", 0.5))]

CHAIN = {
    "fc1.z": 0.7,
    "fc1.a": 0.6681877722,
    "y_hat": 0.4340938861,
    "loss": 0.0021718079,
    "fc2.delta": -0.0659061139,
    "fc2.db": -0.0659061139,
    "fc2.dW": -0.0440376594,
    "fc1.delta": -0.0073061169,
    "fc1.dW": -0.0073061169,
    "fc1.db": -0.0073061169,
    "fc2.W.new": 0.5044037660,
    "fc2.b.new": 0.1065906114,
    "fc1.W.new": 0.4007306117,
    "fc1.b.new": 0.3007306117,
}


def each(rows):
    return [pytest.param(i, name, marks=pytest.mark.worked(i), id=f"{i}: {name}") for i, name in rows.items()]


def same(row, got):
    row.check(np.reshape(got, row.right.shape))


@pytest.fixture(scope="module", params=["rows", "columns"])
def tiny(request):
    return tiny_network(layout=request.param)


@pytest.mark.parametrize(("row_id", "name"), each(BATCH))
def test_the_batch(worked, tiny, row_id, name):
    same(worked(row_id), tiny[name])


@pytest.mark.parametrize(("row_id", "name"), each(SAMPLE_1))
def test_sample_1(worked, tiny, row_id, name):
    same(worked(row_id), tiny.sample(0)[name])


@pytest.mark.parametrize(("row_id", "name"), each(SAMPLE_2))
def test_sample_2(worked, tiny, row_id, name):
    same(worked(row_id), tiny.sample(1)[name])


@pytest.mark.parametrize(("row_id", "name"), each(SAMPLE_1_AFTER))
def test_sample_1_behind_the_update(worked, tiny, row_id, name):
    same(worked(row_id), tiny.sample(0).after[name])


@pytest.mark.worked("000-6.33a", "000-6.33b")
def test_the_losses_that_the_document_assumes(worked, tiny):
    same(worked("000-6.33a"), tiny["losses"][2])
    same(worked("000-6.33b"), tiny["losses"][3])


@pytest.mark.worked("000-6.x-delta")
def test_output_deltas_sample_by_sample(worked, tiny):
    same(worked("000-6.x-delta"), np.array([tiny.sample(i)["fc2.delta"].item() for i in range(4)]))


@pytest.mark.worked("000-5.20")
def test_the_mean_is_divided_by_once(tiny):
    """§5.3.3: Δ = ∂L/∂Z holds the 1/m of the mean, so ∂L/∂W = Δ Aᵀ takes no further one."""
    columns = tiny.problem.layout == "columns"
    delta, a = (v if columns else v.T for v in (tiny["fc2.delta"], tiny["fc1.a"]))
    np.testing.assert_allclose(delta @ a.T, tiny["fc2.dW"], rtol=1e-12)
    alone = [tiny.sample(i)["fc2.delta"].item() for i in range(4)]
    np.testing.assert_allclose(4 * delta.ravel(), alone, rtol=1e-12)
    assert any(note.startswith("1/m stands here") for note in tiny.step("fc2.delta").notes)


@pytest.mark.worked("000-6.66c")
def test_the_update_lowers_the_loss(tiny):
    """§6.11: sample 1 from 1.123331 to 1.071901, the batch from 0.616583 to 0.599176."""
    np.testing.assert_allclose(tiny.sample(0).losses, [1.123331, 1.071901], atol=5e-7)
    np.testing.assert_allclose(tiny.losses, [0.616583, 0.599176], atol=5e-7)


@pytest.mark.worked("000-7.3", "000-7.3b")
def test_loss_curve(worked, tiny):
    """§7.1.2: full-batch gradient descent, η = 0.1, five updates."""
    problem = tiny.problem
    curve = cr.explain(problem.model, problem.x, problem.y, binary_cross_entropy, lr=0.1, steps=5).losses
    same(worked("000-7.3b"), curve)
    same(worked("000-7.3"), curve[[0, 1, 5]])


@pytest.mark.parametrize(("row_id", "lr"), STEPS)
def test_update_of_w2(worked, tiny, row_id, lr):
    """§7.1.1: ΔW₂ = −η ∂L/∂W₂."""
    problem = tiny.problem
    e = cr.explain(problem.model, problem.x, problem.y, binary_cross_entropy, lr=lr)
    same(worked(row_id), e["fc2.W.new"] - e["fc2.W"])


@pytest.mark.worked("000-7.17", "000-7.18")
def test_dropout_mask(worked, tiny):
    """§7.5.1: the mask [1, 0, 1] on sample 1, without the factor of inverted dropout."""
    fc1, fc2 = (dict(tiny.problem.model.named_modules())[name] for name in ("fc1", "fc2"))

    class Mask(cr.nn.Module):
        def forward(self, h):
            return h * np.array([1.0, 0.0, 1.0])

    model = Sequential(fc1=fc1, act1=ReLU(), drop=Mask(), fc2=fc2, act2=Sigmoid())
    e = cr.explain(model, [[0.5, 0.2]], [[0.0]], binary_cross_entropy)
    same(worked("000-7.17"), e["drop.a"])
    same(worked("000-7.18"), e["fc2.z"])
    assert e.checked


@pytest.mark.parametrize(("name", "right"), CHAIN.items())
def test_example_9(name, right):
    """004 §2.4.4: every figure of the table, which the document prints right."""
    np.testing.assert_allclose(one_neuron_chain()[name].item(), right, atol=INVENTORY_DIGITS)


def test_example_9_goes_on():
    """Behind one step y = 0.4437904126, E = 0.0015797589; behind 10 y = 0.48662, behind 50 y = 0.4999776."""
    chain = one_neuron_chain()
    np.testing.assert_allclose(chain.after["y_hat"].item(), 0.4437904126, atol=INVENTORY_DIGITS)
    np.testing.assert_allclose(chain.after["loss"].item(), 0.0015797589, atol=INVENTORY_DIGITS)
    problem = chain.problem
    longer = cr.explain(problem.model, problem.x, problem.y, problem.loss, lr=0.1, steps=10)
    np.testing.assert_allclose(longer.after["y_hat"].item(), 0.48662, atol=5e-6)


IMAGES = {
    "002-A.7": ("convolution", "conv.z"),
    "002-A.9": ("circular-convolution", "conv.z"),
    "002-A.11": ("max-pooling", "pool.a"),
}


@pytest.mark.parametrize(
    ("row_id", "example", "name"),
    [pytest.param(i, *where, marks=pytest.mark.worked(i), id=i) for i, where in IMAGES.items()],
)
def test_images(worked, row_id, example, name):
    e = EXAMPLES[example]()
    same(worked(row_id), e[name])
    assert e.checked


def test_the_printed_circulant_matrix():
    """002 A.9: the matrix of the document, and its transpose on the way back: dL/dx = Tᵀ δ."""
    e = EXAMPLES["circular-convolution"]()
    w0, w1, w2 = e["conv.W"].ravel()
    printed = [[w0, w1, w2, 0, 0], [0, w0, w1, w2, 0], [0, 0, w0, w1, w2], [w2, 0, 0, w0, w1], [w1, w2, 0, 0, w0]]
    np.testing.assert_array_equal(e["conv.matrix"], printed)
    np.testing.assert_allclose(e["dx"].ravel(), e["conv.matrix"].T @ e["conv.delta"].ravel())
