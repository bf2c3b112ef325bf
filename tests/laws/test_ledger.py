"""What a ledger obeys, for every layer kind: it changes nothing, its numbers are the step's, its shares sum."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.core.stack import stack
from chainrule.glass.ledgers.recurrent import CELLS as GATES_OF_CELLS
from tests.laws import recurrent_layers
from tests.laws.ledger_models import MODELS, squared
from tests.laws.zoo import ZOO

SUMMED = 1e-5  # float32: sums of a few hundred terms, in another order
ALONE = 1e-4  # float32: one example by itself goes through other kernels than in a batch
SAME = 1e-12  # float64 rounding, in another order
MEETING = {"batch-norm", "running-mean", "conv", "dropout", "transformer-dropout", "transformer"}
"""Models of the zoo whose examples meet in a batch norm, are given masks that depend on the batch, or whose y has
another length than x."""


def numbers(model, optimizer=None):
    """Everything that training reads and writes, as bytes."""
    found = {name: p.data.tobytes() for name, p in model.named_parameters()}
    found |= {f"{name}'": np.asarray(p.grad.data).tobytes() if p.grad is not None else None for name, p in
              model.named_parameters()}  # fmt: skip
    found |= {name: np.asarray(b.data).tobytes() for name, b in model.named_buffers()}
    if optimizer is not None:
        state = optimizer.state_dict()
        found |= {"numbers": state["numbers"], **{k: v.tobytes() for k, v in state["arrays"].items()}}
    return found | {"stream": (stack.key, stack.draws), "changes": (stack.structure, stack.looks)}


@pytest.mark.parametrize("name", MODELS)
def test_it_changes_nothing_and_its_shares_sum_to_the_gradient(name):
    model, x, y, loss = MODELS[name]()
    before = numbers(model)
    book = cr.ledger(model, x, y, loss)
    assert numbers(model) == before
    for path, entry in book.items():
        assert all(type(v) is np.ndarray for v in entry.values())
        for quantity in entry.examples:
            if quantity in entry:
                share, whole = entry.examples[quantity], entry[quantity]
                assert share.shape == (len(x), *whole.shape), (path, quantity)
                np.testing.assert_allclose(
                    share.sum(0), whole, rtol=0, atol=SUMMED * max(1, np.abs(share).sum(0).max())
                )
    assert str(book)


@pytest.mark.parametrize("name", MODELS)
def test_its_numbers_are_those_of_the_step(name, monkeypatch):
    """Results, dL/d(result) and dL/dθ as `cr.gradients` has them in a step that nobody watches."""
    model, x, y, loss = MODELS[name]()
    book = cr.ledger(model, x, y, loss)
    results = {}
    call = nn.Module.__call__

    def noting(self, *args, **kwargs):
        result = call(self, *args, **kwargs)
        first = next(t for t in cr.core.tree.flatten(result)[0] if isinstance(t, cr.Tensor))
        results.setdefault(self, []).append(first)
        return result

    monkeypatch.setattr(nn.Module, "__call__", noting)
    value = loss(model(cr.tensor(x, requires_grad=True) if x.dtype.kind == "f" else x), y)
    assert value.data == np.float32(book.loss)
    for path, module in model.named_modules():
        short = ("z", "delta") if module.result_name == "z" else ("a", "da")
        for k, result in enumerate(results.get(module, []) if path in book and short[0] in book[path] else []):
            z, delta = (book[path][s + (f"_{k + 1}" if k else "")] for s in short)
            np.testing.assert_array_equal(z, result.data)
            np.testing.assert_array_equal(delta, cr.gradients(value, result).data if result.node else 0 * z)
    value.backward()
    for path, p in model.named_parameters():
        owner = max((m for m in book if m == "" or path.startswith(f"{m}.")), key=len)
        found = book[owner][f"d{path[len(owner) + 1 if owner else 0 :]}"]
        np.testing.assert_array_equal(found, np.zeros(p.shape) if p.grad is None else p.grad.data)


@pytest.mark.parametrize("name", [n for n in ZOO if n not in MEETING])
def test_the_share_of_an_example_is_the_gradient_of_it_alone(name):
    model, x, y, loss = MODELS[f"zoo {name}"]()
    book = cr.ledger(model, x, y, loss)
    for i in (0, len(x) - 1):
        alone = cr.ledger(model, x[i : i + 1], y[i : i + 1], loss)
        for path, entry in book.items():
            for quantity in entry.examples:
                want = alone[path][quantity] / len(x)  # the loss is a mean over the batch
                np.testing.assert_allclose(entry.examples[quantity][i], want, rtol=ALONE, atol=ALONE * 1e-2)


@pytest.mark.parametrize("name", ZOO)
def test_a_training_that_is_watched_is_the_one_that_is_not(name):
    def trained(watched):
        model, optimizer, draw = ZOO[name].draw()
        step = ZOO[name].step(model, optimizer)
        for k in range(3):
            x, y = draw()
            if watched and k:
                before = numbers(model, optimizer)
                book = cr.ledger(model, x, y, ZOO[name].loss, optimizer)
                assert numbers(model, optimizer) == before
                old = {path: p.data.copy() for path, p in model.named_parameters()}
            step(x, y)
            if watched and k:
                _check_updates(book, model, old)
        return numbers(model, optimizer)

    watched, unwatched = trained(True), trained(False)
    assert watched.pop("changes") and unwatched.pop("changes")  # they count over all models together
    assert watched == unwatched


def _check_updates(book, model, old):
    """The update and its size are those that the step then made."""
    for path, p in model.named_parameters():
        owner = max((m for m in book if m == "" or path.startswith(f"{m}.")), key=len)
        short = path[len(owner) + 1 if owner else 0 :]
        np.testing.assert_array_equal(book[owner][f"update.{short}"], p.data - old[path])
        size = np.linalg.norm(old[path])
        if size:
            ratio = np.linalg.norm(p.data - old[path]) / size
            np.testing.assert_allclose(book[owner][f"ratio.{short}"], ratio, rtol=1e-6)


def test_a_graph_made_before_can_still_go_back():
    """The update that is taken back leaves no date behind."""
    model, optimizer, draw = ZOO["adamw"].draw()
    x, y = draw()
    value = ZOO["adamw"].loss(model(x), y)
    cr.ledger(model, x, y, ZOO["adamw"].loss, optimizer)
    value.backward()


def test_shares_are_those_of_the_step_when_training_has_gone_on():
    model, optimizer, draw = ZOO["lstm"].draw()
    x, y = draw()
    book, again = (cr.ledger(model, x, y, ZOO["lstm"].loss) for _ in range(2))
    first = dict(book["recurrent"].examples)
    ZOO["lstm"].step(model, optimizer)(x, y)
    for name, share in first.items():
        np.testing.assert_array_equal(again["recurrent"].examples[name], share)


WITHOUT_NUMBERS = {
    "Module", "Activation", "RecurrentLayers", "ModuleDict", "ModuleList", "ParameterList", "Ensemble",
    "LowPrecision",
}  # fmt: skip
"""Bases, boxes of layers, and what stands for several models."""


def test_every_layer_kind_is_among_the_models():
    found = {type(module).__name__ for make in MODELS.values() for module in make()[0].modules()}
    kinds = {n for n in nn.__all__ if isinstance(c := getattr(nn, n), type) and issubclass(c, nn.Module)}
    assert sorted(kinds - found - WITHOUT_NUMBERS) == []


class Language(nn.Module):
    """A frozen embedding, so that no history reaches the first layer that learns; a mean over time."""

    def __init__(self):
        self.tokens, self.fc = nn.Embedding(7, 4).requires_grad_(False), nn.Linear(4, 5)
        self.norm, self.head = nn.LayerNorm(5), nn.Linear(5, 3, bias=False)
        self.norm.weight.requires_grad_(False)

    def forward(self, ids):
        return self.head(cr.mean(cr.relu(self.norm(self.fc(self.tokens(ids)))), 1))


def test_frozen_parameters_stay_and_have_no_gradient():
    cr.seed(0)
    model, ids, y = Language(), np.array([[1, 2, 3], [4, 4, 0], [6, 5, 1], [0, 0, 2]]), np.array([0, 1, 2, 0])
    optimizer = cr.optim.Adam(model, lr=0.1)
    book = cr.ledger(model, ids, y, "cross-entropy", optimizer)
    for path, name in (("tokens", "weight"), ("norm", "weight")):
        for quantity in (f"d{name}", f"update.{name}", f"ratio.{name}"):
            np.testing.assert_array_equal(book[path][quantity], 0 * book[path][quantity])
        np.testing.assert_array_equal(book[path].examples[f"d{name}"], 0)
    for i in range(4):
        alone = cr.ledger(model, ids[i : i + 1], y[i : i + 1], "cross-entropy")
        for path, name in (("fc", "dweight"), ("fc", "dbias"), ("norm", "dbias"), ("head", "dweight")):
            np.testing.assert_allclose(book[path].examples[name][i], alone[path][name] / 4, rtol=ALONE, atol=1e-7)


def test_gradients_that_wait_are_left_alone_and_not_counted():
    """The update is that of this batch; what `backward` has gathered so far is still there afterwards."""
    model, optimizer, draw = ZOO["adamw"].draw()
    (x, y), loss = draw(), ZOO["adamw"].loss
    clean = cr.ledger(model, x, y, loss, optimizer)["fc1"]["update.weight"]
    loss(model(x), y).backward()
    waiting = numbers(model, optimizer)
    np.testing.assert_array_equal(cr.ledger(model, x, y, loss, optimizer)["fc1"]["update.weight"], clean)
    assert numbers(model, optimizer) == waiting


# Recurrent layers.


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", recurrent_layers.LAYERS)
def test_gates_and_their_deltas_are_those_of_the_cell_run_step_by_step(name, reverse):
    """A number e added to the pre-activations, and one to the state, of every step: δ = dL/de, dL/dh = dL/de."""
    cr.seed(0)
    layer = recurrent_layers.LAYERS[name](bidirectional=reverse).astype(np.float64)
    x = np.random.default_rng(0).standard_normal((1, 5, 3))
    end = "_l0_reverse" if reverse else "_l0"
    book = cr.ledger(layer, x, None, lambda y, _: 0.5 * cr.sum(y[0] ** 2))[""]
    cell = getattr(nn, recurrent_layers.CELL_OF[name])(3, 4).astype(np.float64)
    weights = {p: layer.state_dict()[f"{p}{end}"] for p, _ in cell.named_parameters()}
    order = range(5)[::-1] if reverse else range(5)
    h, c = np.zeros((1, 4)), np.zeros((1, 4))
    moved, states, cells, total = {}, {}, {}, 0
    for t in order:
        moved[t] = cr.tensor(np.zeros(weights["bias_ih"].shape), requires_grad=True)
        given = weights | {"bias_ih": weights["bias_ih"] + moved[t]}
        state = (h, c) if name == "LSTM" else h
        new = nn.functional_call(cell, given, x[:, t], state)
        h, c = new if name == "LSTM" else (new, None)
        h = states[t] = h + cr.tensor(np.zeros((1, 4)), requires_grad=True)
        cells[t] = c
        total = total + 0.5 * cr.sum(h**2)
    gates = GATES_OF_CELLS[recurrent_layers.CELL_OF[name]]
    for t in order:
        near = {"rtol": 0, "atol": SAME}
        np.testing.assert_allclose(book[f"h{end}"][:, t], states[t].data, **near)
        np.testing.assert_allclose(book[f"dh{end}"][:, t], cr.gradients(total, states[t]).data, **near)
        delta = np.concatenate([book[f"delta_{g}".rstrip("_") + end][0, t] for g in gates])
        np.testing.assert_allclose(delta, cr.gradients(total, moved[t]).data, **near)
        if name == "LSTM":
            np.testing.assert_allclose(book[f"c{end}"][:, t], cells[t].data, **near)
            np.testing.assert_allclose(book[f"dc{end}"][:, t], cr.gradients(total, cells[t]).data, **near)
    _check_pre_activations(book, gates, end)


def _check_pre_activations(book, gates, end):
    """A gate is the nonlinearity of its z."""
    for g in gates:
        z, gate = book[f"z_{g}".rstrip("_") + end], book[f"{g}{end}"] if g else None
        value = np.tanh(z) if g in ("", "g", "n") else 1 / (1 + np.exp(-z))
        np.testing.assert_allclose(book[f"h{end}"] if gate is None else gate, value, rtol=0, atol=SAME)


@pytest.mark.parametrize("name", recurrent_layers.LAYERS)
def test_over_steps_that_a_mask_leaves_out_everything_passes(name):
    """A sequence that is filled up has the states, gates and derivatives of the short one."""
    cr.seed(0)
    layer = recurrent_layers.LAYERS[name]().astype(np.float64)

    class Masked(nn.Module):
        def __init__(self, lengths):
            self.layer, self.lengths = layer, lengths

        def forward(self, x):
            return self.layer(x, lengths=self.lengths)[1]

    x = np.random.default_rng(0).standard_normal((2, 5, 3))
    long = cr.ledger(Masked([3, 5]), x, None, squared)["layer"]
    short = cr.ledger(Masked([3]), x[:1, :3], None, squared)["layer"]
    for quantity in [n for n in short if n.endswith("_l0") and "weight" not in n and "bias" not in n]:
        np.testing.assert_allclose(long[quantity][0, :3], short[quantity][0], rtol=0, atol=SAME, err_msg=quantity)
    np.testing.assert_allclose(long["dh_l0"][0, 3:], long["dh_l0"][0, 2:3].repeat(2, 0), rtol=0, atol=SAME)


def test_time_first_sequences_have_their_examples_along_axis_1():
    cr.seed(0)
    x = np.random.default_rng(0).standard_normal((5, 2, 3)).astype(np.float32)
    layer = nn.LSTM(3, 4, batch_first=False)
    first = cr.ledger(layer, x, None, squared, batch_axis=1)[""].examples
    layer.batch_first = True
    second = cr.ledger(layer, x.swapaxes(0, 1), None, squared)[""].examples
    for name in first:
        np.testing.assert_allclose(first[name], second[name], rtol=ALONE, atol=ALONE * 1e-2)


# Attention and norms.


def test_attention_whole_and_in_blocks_is_the_same():
    cr.seed(0)
    x = np.random.default_rng(0).standard_normal((2, 5, 8))
    q = {}

    class Attending(nn.Module):
        def __init__(self, attend):
            self.qkv, self.attend = nn.Linear(8, 24), attend

        def forward(self, x):
            q, k, v = cr.unstack(self.qkv(x).reshape(2, 5, 3, 2, 4).permute(2, 0, 3, 1, 4), 0)
            return self.attend(q, k, v, causal=True)

    for name in ("scaled_dot_product_attention", "blockwise_attention"):
        cr.seed(0)
        q[name] = cr.ledger(Attending(getattr(cr, name)).astype(np.float64), x, None, squared)[""]
    whole, blocks = q.values()
    for name in ("scores", "weights", "dweights", "heads", "dheads", "dscores"):
        np.testing.assert_allclose(whole[name], blocks[name], rtol=0, atol=SAME, err_msg=name)
    assert whole.weights.shape == (2, 2, 5, 5)
    np.testing.assert_allclose(whole.weights.sum(-1), 1, rtol=0, atol=SAME)
    np.testing.assert_allclose(whole.dscores.sum(-1), 0, rtol=0, atol=SAME)  # a softmax does not see a shift


def test_running_statistics_and_what_the_step_makes_of_them():
    model, x, y, loss = MODELS["zoo batch-norm"]()
    norm = cr.ledger(model, x, y, loss)["norm1"]
    z = cr.ledger(model, x, y, loss)["fc1"].z
    np.testing.assert_array_equal(norm.running_mean, 0)
    np.testing.assert_allclose(norm["running_mean.new"], 0.1 * z.mean(0), rtol=SUMMED, atol=1e-7)
    np.testing.assert_allclose(norm["running_var.new"], 0.9 + 0.1 * z.var(0, ddof=1), rtol=SUMMED)


def test_short_names_and_attributes():
    model, x, y, loss = MODELS["zoo tiny"]()
    entry = cr.ledger(model, x, y, loss)["0"]
    for short, long in {"W": "weight", "b": "bias", "dW": "dweight", "db": "dbias", "dz": "delta"}.items():
        assert entry[short] is entry[long] is getattr(entry, short)
    assert "dW" in entry and "dW" in entry.examples and "nothing" not in entry
    np.testing.assert_allclose(entry.examples.dW.sum(0), entry.dW, rtol=SUMMED, atol=1e-7)
    delta, a = entry.delta, x
    np.testing.assert_array_equal(entry.examples.dW, delta[:, :, None] * a[:, None, :])


@pytest.mark.parametrize(
    "name", ["zoo adamw", "zoo lstm", "zoo conv", "zoo batch-norm", "zoo transformer", "Embedding"]
)
def test_on_another_backend_the_ledger_is_the_same(name):
    pytest.importorskip("torch")
    model, x, y, loss = MODELS[name]()
    here = cr.ledger(model, x, y, loss, cr.optim.SGD(model, lr=0.1))
    model, x, y, loss = MODELS[name]()
    model.to("torch")
    optimizer = cr.optim.SGD(model, lr=0.1)
    before = numbers_of(model)
    there = cr.ledger(model, x, y, loss, optimizer)
    assert numbers_of(model) == before
    assert list(here) == list(there)
    for path, entry in here.items():
        for ours, theirs in ((entry, there[path]), (entry.examples, there[path].examples)):
            for quantity, value in ours.items():
                size = max(1.0, float(np.abs(value[np.isfinite(value)]).max(initial=0)))
                np.testing.assert_allclose(theirs[quantity], value, rtol=0, atol=ALONE * size)


def numbers_of(model):
    return {name: np.asarray(p.data).tobytes() for name, p in model.named_parameters()}
