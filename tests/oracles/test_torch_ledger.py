"""A ledger against PyTorch's hooks: the same weights and data give the same z, a, deltas, and gradients."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn

torch = pytest.importorskip("torch")

SAME = 1e-10  # float64, relative to the largest entry: both round each operation at 1e-16

# Before a pooling tanh rather than ReLU: a window of zeros is a tie, in which PyTorch's gradient goes to one entry
# and ours to all.
MODELS = {
    "perceptron": (
        lambda: nn.Sequential(fc1=nn.Linear(5, 7), act1=nn.Tanh(), fc2=nn.Linear(7, 6), act2=nn.ReLU(),
                              fc3=nn.Linear(6, 3)),
        lambda: torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 6), torch.nn.ReLU(),
                                    torch.nn.Linear(6, 3)),
        (8, 5),
    ),
    "convnet": (
        lambda: nn.Sequential(
            conv1=nn.Conv2d(2, 4, 3, padding=1), norm=nn.BatchNorm2d(4), act1=nn.Tanh(), pool=nn.MaxPool2d(2),
            conv2=nn.Conv2d(4, 6, 3, stride=2, groups=2), act2=nn.GELU(), flat=nn.Flatten(), fc=nn.Linear(6, 3),
        ),
        lambda: torch.nn.Sequential(
            torch.nn.Conv2d(2, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.Tanh(), torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(4, 6, 3, stride=2, groups=2), torch.nn.GELU(), torch.nn.Flatten(), torch.nn.Linear(6, 3),
        ),
        (4, 2, 8, 8),
    ),
}  # fmt: skip


def near(ours, theirs):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=SAME * max(1.0, np.abs(theirs).max()))


def given(ours, theirs):
    """The weights of our model, in theirs."""
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        q.data = torch.tensor(p.data)


def hooked(model):
    """Results and the derivatives by them, by layer, filled as the model runs."""
    results, slopes = {}, {}
    for name, layer in model.named_children():

        def forward(_, __, y, name=name):
            results[name] = y
            y.register_hook(lambda g: slopes.__setitem__(name, g))

        layer.register_forward_hook(forward)
    return results, slopes


@pytest.mark.parametrize("name", MODELS)
def test_layers(name):
    make, make_theirs, shape = MODELS[name]
    cr.seed(0)
    rng = np.random.default_rng(0)
    model, theirs = make().astype(np.float64), make_theirs().double()
    given(model, theirs)
    x, y = rng.standard_normal(shape), rng.integers(0, 3, shape[0])
    book = cr.ledger(model, x, y, "cross-entropy")
    results, slopes = hooked(theirs)
    loss = torch.nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(y))
    loss.backward()
    assert abs(book.loss - loss.item()) < SAME
    for (path, layer), (number, their_layer) in zip(model.named_children(), theirs.named_children(), strict=True):
        value, slope = ("z", "delta") if layer.result_name == "z" else ("a", "da")
        near(book[path][value], results[number])
        near(book[path][slope], slopes[number])
        for short, p in their_layer.named_parameters():
            near(book[path][f"d{short}"], p.grad)
    if name == "convnet":
        near(book["norm"]["running_mean.new"], theirs[1].running_mean)
        near(book["norm"]["running_var.new"], theirs[1].running_var)


@pytest.mark.parametrize("name", ["perceptron", "convnet"])
def test_examples(name):
    """Their gradients one example at a time, in evaluation, where examples do not meet."""
    make, make_theirs, shape = MODELS[name]
    cr.seed(0)
    rng = np.random.default_rng(0)
    model, theirs = make().astype(np.float64).eval(), make_theirs().double().eval()
    given(model, theirs)
    x, y = rng.standard_normal(shape), rng.integers(0, 3, shape[0])
    book = cr.ledger(model, x, y, "cross-entropy")
    for i in range(len(x)):
        theirs.zero_grad()
        loss = torch.nn.functional.cross_entropy(theirs(torch.tensor(x[i : i + 1])), torch.tensor(y[i : i + 1]))
        (loss / len(x)).backward()
        for path, number in zip(dict(model.named_children()), dict(theirs.named_children()), strict=True):
            for short, p in dict(theirs.named_children())[number].named_parameters():
                near(book[path].examples[f"d{short}"][i], p.grad)


def test_an_lstm_step_by_step():
    """PyTorch's cell, run over the sequence: every h and c with its derivative, and δ through the gates' biases."""
    cr.seed(0)
    x = np.random.default_rng(0).standard_normal((3, 6, 5))
    layer, cell, whole = nn.LSTM(5, 4).astype(np.float64), torch.nn.LSTMCell(5, 4).double(), torch.nn.LSTM(5, 4)
    given(layer, cell)
    given(layer, whole.double())
    book = cr.ledger(layer, x, None, lambda y, _: 0.5 * cr.sum(y[0] ** 2))[""]
    h, c = (torch.zeros(3, 4, dtype=torch.float64) for _ in range(2))
    hs, cs, loss = [], [], 0.0
    for t in range(6):
        h, c = cell(torch.tensor(x[:, t]), (h, c))
        h.retain_grad()
        c.retain_grad()
        hs.append(h)
        cs.append(c)
        loss = loss + 0.5 * (h**2).sum()
    loss.backward()
    for t in range(6):
        near(book.h_l0[:, t], hs[t])
        near(book.c_l0[:, t], cs[t])
        near(book.dh_l0[:, t], hs[t].grad)
        near(book.dc_l0[:, t], cs[t].grad)
    deltas = np.concatenate([book[f"delta_{g}_l0"] for g in "ifgo"], -1)
    near(deltas.sum((0, 1)), cell.bias_ih.grad)
    near(np.einsum("ntz,ntx->zx", deltas, x), cell.weight_ih.grad)
    for i in range(3):
        whole.zero_grad()
        (0.5 * (whole(torch.tensor(x[i])[:, None])[0] ** 2).sum()).backward()
        for name, p in whole.named_parameters():
            near(book.examples[f"d{name}"][i], p.grad)


def test_the_weights_of_every_head():
    cr.seed(0)
    x = np.random.default_rng(0).standard_normal((3, 5, 8))
    layer, theirs = nn.MultiheadAttention(8, 2).astype(np.float64), torch.nn.MultiheadAttention(8, 2, batch_first=True)
    given(layer, theirs.double())
    book = cr.ledger(layer, x, None, lambda y, _: 0.5 * cr.sum(y[0] ** 2))
    entry, given_x = book[""], torch.tensor(x)
    y, weights = theirs(given_x, given_x, given_x, average_attn_weights=False)
    (0.5 * (y**2).sum()).backward()
    assert entry.scores.shape == entry.weights.shape == (3, 2, 5, 5)
    assert entry.heads.shape == (3, 2, 5, 4)
    near(entry.weights, weights)
    near(entry.din_proj_weight, theirs.in_proj_weight.grad)
    near(book["out_proj"].z, y)
    near(entry.heads.swapaxes(1, 2).reshape(3, 5, 8) @ layer.out_proj.weight.data.T + layer.out_proj.bias.data, y)
