"""Attention as `explain` tells it, head by head: independent formulas, the ledger's numbers, rules that hold."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses, nn
from chainrule.glass.explanation.inside import INSIDE
from chainrule.glass.explanation.notation import width
from tests.laws import explained_numbers

SAME = 1e-12  # float64 rounding of the same operations


class Attending(nn.Module):
    """Self-attention, or attention to other rows, then a dense layer on the mean."""

    def __init__(self, heads=2, memory=False, **options):
        self.layer = nn.MultiheadAttention(
            4, heads, bias=options.pop("bias", True), dropout=options.pop("dropout", 0.0)
        )
        self.memory, self.options, self.fc = memory, options, nn.Linear(4, 2)

    def forward(self, x):
        y = self.layer(x, x[:, :2], x[:, :2]) if self.memory else self.layer(x, **self.options)
        return self.fc(y[0].mean(1))


MODELS = {
    "self-attention": Attending,
    "one head": lambda: Attending(1),
    "without weights": lambda: Attending(need_weights=False),
    "causal": lambda: Attending(is_causal=True),
    "masked": lambda: Attending(attn_mask=np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], bool)),
    "a mask of numbers": lambda: Attending(attn_mask=np.array([[0, 0.5, -1.0], [0, 0, 0], [2.0, 0, 0]])),
    "cross-attention": lambda: Attending(memory=True),
    "no bias": lambda: Attending(bias=False),
    "dropout": lambda: Attending(dropout=0.5),
}


def explained(name, n=1, **options):
    cr.seed(0)
    rng = np.random.default_rng(1)
    model = MODELS[name]().astype(np.float64)
    x, y = rng.standard_normal((n, 3, 4)), rng.standard_normal((n, 2))
    return cr.explain(model, x, y, losses.mse, key=cr.Key(3), **options), model, x, y


@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("name", MODELS)
def test_every_derivative_is_checked_and_every_rule_has_its_value(name, n, layout):
    e, *_ = explained(name, n, layout=layout, lr=0.1)
    assert e.checked, [(s.name, str(s.check)) for s in e.steps if s.check is not None and not s.check]
    told = [step for step in e.steps if step.kind == INSIDE and step.substituted is not None]
    assert len(told) >= 6
    for step in [*told, e.step("layer.a"), e.step("layer.out_proj.dweight")]:
        explained_numbers.check(step)
    unchecked = [s.name for s in e.steps if s.phase == "backward" and s.check is None]
    assert unchecked == []
    assert max(map(width, str(e).splitlines())) <= 100 and "\\" not in str(e)
    latex = e.latex(document=True)
    assert latex.isascii() and latex.count("{") == latex.count("}") and latex.count("$") % 2 == 0


def test_a_head_by_its_formulas():
    """Written out once more here, with nothing of the library but the weights."""
    e, model, x, _ = explained("self-attention")
    w, b = model.layer.in_proj_weight.data, model.layer.in_proj_bias.data
    q, k, v = np.split(x[0] @ w.T + b, 3, axis=1)
    bar = e["layer.da"] @ model.layer.out_proj.weight.data
    np.testing.assert_allclose(e["layer.dconcat"], bar, rtol=1e-9, atol=SAME)
    shares = []
    for i in range(2):
        part, name = slice(2 * i, 2 * i + 2), f"layer.head{i + 1}."
        q_i, k_i, v_i, o_bar = q[:, part], k[:, part], v[:, part], bar[:, part]
        s = q_i @ k_i.T / np.sqrt(2)
        a = np.exp(s) / np.exp(s).sum(1, keepdims=True)
        a_bar = o_bar @ v_i.T
        s_bar = np.stack([(np.diag(row) - np.outer(row, row)) @ bar_row for row, bar_row in zip(a, a_bar, strict=True)])
        q_bar, k_bar, v_bar = s_bar @ k_i / np.sqrt(2), s_bar.T @ q_i / np.sqrt(2), a.T @ o_bar
        shares.append((q_bar, k_bar, v_bar))
        for quantity, value in {
            "Q": q_i, "K": k_i, "V": v_i, "scores": s, "weights": a, "output": a @ v_i, "doutput": o_bar,
            "dweights": a_bar, "dscores": s_bar, "dQ": q_bar, "dK": k_bar, "dV": v_bar,
        }.items():  # fmt: skip
            np.testing.assert_allclose(e[name + quantity], value, rtol=1e-9, atol=SAME, err_msg=quantity)
    for role, parts in zip("QKV", zip(*shares, strict=True), strict=True):
        np.testing.assert_allclose(e[f"layer.dW_{role}"], np.hstack(parts).T @ x[0], rtol=1e-9, atol=SAME)
    together = np.vstack([e[f"layer.dW_{role}"] for role in "QKV"])
    np.testing.assert_allclose(e["layer.din_proj_weight"], together, rtol=1e-9, atol=SAME)


@pytest.mark.parametrize("name", ["self-attention", "causal", "cross-attention", "a mask of numbers"])
def test_its_numbers_are_the_ledgers(name):
    e, model, x, y = explained(name, n=2)
    entry = cr.ledger(model, x, y, losses.mse)["layer"]
    for ours, theirs in {
        "scores": "scores",
        "dscores": "dscores",
        "weights": "weights",
        "dweights": "dweights",
    }.items():
        for i in range(2):
            np.testing.assert_allclose(e[f"layer.head{i + 1}.{ours}"], entry[theirs][:, i], rtol=1e-9, atol=SAME)


def test_in_columns_tokens_are_columns():
    """003 §17.3: S = Qᵀ K/√d and V Aᵀ; scores and weights keep a query to a row."""
    rows, *_ = explained("self-attention")
    columns, *_ = explained("self-attention", layout="columns")
    for name in ("Q", "K", "V", "output", "dQ", "dK", "dV"):
        np.testing.assert_allclose(columns[f"layer.head1.{name}"], rows[f"layer.head1.{name}"].T, rtol=1e-9, atol=SAME)
    for name in ("scores", "weights", "dweights", "dscores"):
        np.testing.assert_allclose(columns[f"layer.head1.{name}"], rows[f"layer.head1.{name}"], rtol=1e-9, atol=SAME)
    assert str(columns.step("layer.head1.scores")) == "S₁ = Q₁ᵀ K₁/√2"
    assert str(columns.step("layer.head1.output")) == "O₁ = V₁ A₁ᵀ"
    assert str(columns.step("layer.head1.dQ")) == "∂L/∂Q₁ = K₁ (∂L/∂S₁)ᵀ/√2"


def test_masks_are_shown():
    e, *_ = explained("causal")
    np.testing.assert_array_equal(e["layer.head1.mask"], np.tril(np.ones((3, 3))))
    assert str(e.step("layer.head1.mask")) == "M = [j ≤ i]"
    assert (np.triu(e["layer.head1.weights"], 1) == 0).all()


def test_many_heads_and_long_sequences_are_cut_short():
    cr.seed(0)
    rng = np.random.default_rng(0)

    class Wide(nn.Module):
        def __init__(self):
            self.layer, self.fc = nn.MultiheadAttention(16, 8), nn.Linear(16, 1)

        def forward(self, x):
            return self.fc(self.layer(x, need_weights=False)[0].mean(1))

    e = cr.explain(Wide(), rng.standard_normal((1, 40, 16)), rng.standard_normal((1, 1)), losses.mse)
    names = {step.name for step in e.steps}
    assert {"layer.head1.Q", "layer.head2.Q", "layer.head8.Q"} <= names and "layer.head3.Q" not in names
    assert e.checked and e["layer.head8.weights"].shape == (40, 40)
    np.testing.assert_allclose(e["layer.head8.weights"].sum(1), 1, rtol=1e-12)


LAYERS = {
    "post-norm": lambda: nn.TransformerEncoderLayer(4, 2, 6, 0.0),
    "pre-norm": lambda: nn.TransformerEncoderLayer(4, 2, 6, 0.0, norm_first=True, activation="gelu"),
    "with dropout": lambda: nn.TransformerEncoderLayer(4, 2, 6, 0.3),
    "two of them": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 6, 0.0), 2, nn.LayerNorm(4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_transformer_layers_are_explained_part_by_part(name):
    cr.seed(0)
    rng = np.random.default_rng(2)
    model = nn.Sequential(block=LAYERS[name](), fc=nn.Linear(4, 3)).astype(np.float64)
    e = cr.explain(model, rng.standard_normal((1, 3, 4)), [[0, 2, 1]], "cross-entropy", key=cr.Key(1))
    assert e.checked, [(s.name, str(s.check)) for s in e.steps if s.check is not None and not s.check]
    kinds = [s.kind for s in e.steps if s.phase == "forward" and s.kind != INSIDE]
    assert kinds.count("attention") == (2 if "two" in name else 1) and "add" in kinds and "layer norm" in kinds
    assert max(map(width, str(e).splitlines())) <= 100


def test_a_translator_reads_two_sequences():
    class Translator(nn.Module):
        def __init__(self):
            self.source, self.target = nn.Embedding(7, 4), nn.Embedding(5, 4)
            self.place = nn.PositionalEncoding(4)
            self.encoder = nn.TransformerEncoderLayer(4, 2, 6, 0.0)
            self.decoder = nn.TransformerDecoderLayer(4, 2, 6, 0.0)
            self.head = nn.Linear(4, 5)

        def forward(self, source, target):
            memory = self.encoder(self.place(self.source(source)))
            return self.head(self.decoder(self.target(target), memory, tgt_is_causal=True))

    cr.seed(0)
    source, target = np.array([[1, 6, 2]]), np.array([[3, 0]])
    e = cr.explain(Translator().astype(np.float64), (source, target), [[1, 4]], "cross-entropy")
    assert e.checked, [(s.name, str(s.check)) for s in e.steps if s.check is not None and not s.check]
    assert e["decoder.multihead_attn.head2.weights"].shape == (2, 3)
    np.testing.assert_array_equal(e["x2"], target)


@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("name", ["waves", "waves with dropout", "learned"])
def test_positions_are_rows_that_are_added(name, layout):
    layers = {
        "waves": lambda: nn.PositionalEncoding(4),
        "waves with dropout": lambda: nn.PositionalEncoding(4, 0.5),
        "learned": lambda: nn.LearnedPositions(9, 4),
    }
    cr.seed(0)
    rng = np.random.default_rng(0)
    model = nn.Sequential(first=nn.Linear(4, 4), place=layers[name](), fc=nn.Linear(4, 1)).astype(np.float64)
    x, y = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 3, 1))
    e = cr.explain(model, x, y, losses.mse, layout=layout, key=cr.Key(5))
    assert e.checked
    explained_numbers.check(e.step("place.a"))
    explained_numbers.check(e.step("first.delta"))
    if name == "waves":
        np.testing.assert_allclose(np.asarray(e["place.a"] - e["first.z"]).ravel()[[0, -1]], [0.0, 1.0], atol=1e-3)


FUNCTIONS = {
    "plain": ({}, (2, 3, 4)),
    "causal": ({"causal": True}, (1, 3, 4)),
    "masked": ({"mask": np.tri(3, dtype=bool)}, (1, 3, 4)),
    "a mask of numbers": ({"mask": np.tri(3) - 1}, (1, 3, 4)),
    "four axes": ({}, (2, 2, 3, 4)),
    "long": ({}, (1, 40, 4)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_attention_called_as_a_function_is_one_step(name):
    options, shape = FUNCTIONS[name]

    class Attends(nn.Module):
        def __init__(self):
            self.q, self.k, self.v = (nn.Parameter(np.eye(4) * (i + 1) / 3) for i in range(3))

        def forward(self, x):
            return cr.scaled_dot_product_attention(x @ self.q, x @ self.k, x @ self.v, **options)

    rng = np.random.default_rng(0)
    model = Attends().astype(np.float64)
    for p in model.parameters():
        p.assign(p.data + 0.1 * rng.standard_normal((4, 4)))
    e = cr.explain(model, rng.standard_normal(shape), rng.standard_normal(shape), losses.mse)
    assert e.checked
    head = "attention.head2." if name == "four axes" else "attention."
    assert {f"{head}scores", f"{head}weights", f"{head}dscores", f"{head}dQ"} <= set(e.names)
    assert "masked_softmax" not in str(e)
    for step in e.steps:
        if step.kind == INSIDE and step.substituted is not None:
            explained_numbers.check(step)


def test_a_sequence_that_attends_to_itself_by_a_function():
    class Attends(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            h = self.fc(x)
            return cr.scaled_dot_product_attention(h, h, h)

    rng = np.random.default_rng(0)
    e = cr.explain(Attends(), rng.standard_normal((1, 3, 4)), rng.standard_normal((1, 3, 4)), losses.mse)
    assert e.checked
    assert str(e.step("fc.delta")) == "Δ⁽¹⁾ = ∂L/∂Q + ∂L/∂K + ∂L/∂V"
    explained_numbers.check(e.step("fc.delta"))
