"""What `explain` tells of images, signals, norms and ids equals loops in NumPy that are written here."""

import re
from itertools import product
from math import prod

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.glass.explanation.figures import is_elided
from chainrule.glass.explanation.run import KINDS
from tests.laws.explained_layers import (
    ALL,
    CONVOLUTIONS,
    DROPOUTS,
    EMBEDDINGS,
    MAPS,
    NORMS,
    POOLS,
    TRANSPOSED,
    drawn,
    explained,
)
from tests.laws.image_layers import IMAGE_LAYERS

SAME = 1e-9  # float64 rounding, of sums taken in another order
OF_PERCEPTRONS = (nn.Linear, nn.Activation, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.Softmax, nn.LogSoftmax, nn.Residual)


def close(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=SAME, atol=SAME)


# What holds for every layer.


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_every_layer_is_explained_and_checked(name, layout):
    _, _, e = explained(ALL[name], layout)
    assert e.checked, [(s.name, str(s.check)) for s in e.steps if s.check is not None and not s.check]
    text = str(e)
    assert max(map(len, text.splitlines())) <= 100
    assert "\\" not in text
    assert {n for n in e.names if n.endswith((".dW", ".db", ".dweight", ".dbias"))} <= {s.name for s in e.steps}
    told = [s for s in e.steps if s.kind == "inside" and s.phase == "backward"]
    assert all(s.check is not None for s in told if "partial L" in s.symbol or s.name.endswith("dx_hat"))
    assert all(name in e.names for name in (s.name for s in e.steps if s.kind == "inside"))


@pytest.mark.parametrize("name", ALL)
def test_every_layer_is_written_in_latex_and_html(name):
    _, _, e = explained(ALL[name])
    latex = e.latex(document=True)
    bare = latex.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}") and latex.count("$") % 2 == 0 and latex.isascii()
    opened, closed = (sorted(re.findall(rf"\\{word}{{(\w+\*?)}}", latex)) for word in ("begin", "end"))
    assert opened == closed
    page = e.html()
    assert "\\" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    for tag in ("table", "span", "div", "tr", "td", "tbody"):
        assert page.count(f"<{tag}") == page.count(f"</{tag}>")


@pytest.mark.parametrize("name", ALL)
def test_the_rule_with_numbers_gives_the_result(name):
    """Every line is worked out again: products of matrices, of entries, sums, brackets."""
    _, _, e = explained(ALL[name])
    worked = 0
    for step in e.steps:
        for line in step.expanded if step.kind != "losses" else ():  # test_explain_losses works those out
            head, *sides = sides_of(line)
            assert head == [step.symbol] or step.kind == "linear", step.name
            for side in sides:
                close(value_of(side, ()), sides[-1][-1] if step.kind == "linear" else step.value)
                worked += 1
        if step.substituted is not None and step.phase != "update" and understood(step.substituted):
            close(value_of(step.substituted, step.value.shape), step.value)
            worked += 1
    assert worked >= 3


def sides_of(line):
    sides = [[]]
    for part in line:
        if isinstance(part, str) and part == "=":
            sides.append([])
        else:
            sides[-1].append(part)
    return sides


SIGNS = {"+": "+", "-": "-", r"\cdot": "@", r"\odot": "*", "(": "(", ")": ")", r") \odot": ")*"}
SUM = r"\textstyle\sum"


class Number:
    """An array whose @ is a product of matrices, or of numbers; * is entry by entry, channels beside images."""

    def __init__(self, array):
        self.array = np.asarray(array, dtype=float)

    def __matmul__(self, other):
        a, b = self.array, other.array
        return Number(a * b if a.size == 1 or b.size == 1 else a @ b)

    def __mul__(self, other):
        a, b = self.array, other.array
        return Number(beside(a, b) * beside(b, a))

    def __add__(self, other):
        return Number(beside(self.array, other.array) + beside(other.array, self.array))

    def __sub__(self, other):
        return Number(beside(self.array, other.array) - beside(other.array, self.array))

    def __neg__(self):
        return Number(-self.array)

    def summed(self, shape):
        """The sum over all that the result has no axis for."""
        a = self.array
        if prod(shape) <= 1:
            return Number(a.sum())
        over = [i for i in range(a.ndim) if i != (1 if a.ndim > 1 else 0)]
        return Number(a.sum(tuple(over)) if a.shape[1:2] == shape or len(shape) == 1 else a.sum(0))


def beside(a, b):
    """Numbers of channels as they stand beside an image."""
    return a.reshape(1, -1, *[1] * (b.ndim - 2)) if a.ndim == 1 and b.ndim > 2 else a


def understood(formula):
    """Whether every sign in a formula is one that is worked out here, and no entry was left out."""
    signs = [p.strip() for p in formula if isinstance(p, str)]
    return all(s in SIGNS or s in (SUM, SUM + " (") for s in signs) and len(formula) > 1


def value_of(formula, shape):
    """A formula worked out."""
    numbers, words, open_sums = [], [], 0
    for i, part in enumerate(formula):
        sign = part.strip() if isinstance(part, str) else None
        if sign is None:
            numbers.append(Number(part))
            words.append(f"numbers[{len(numbers) - 1}]")
        elif sign.startswith(SUM):
            words.append("(" + ("(" if sign.endswith("(") else ""))
            open_sums += 1
        elif sign in ("+", "-") and open_sums:
            words.append(").summed(shape)" + sign)
            open_sums -= 1
        else:
            words.append(SIGNS[sign] if not (sign == "-" and i == 0) else "-")
    words.append(").summed(shape)" * open_sums)
    return np.reshape(eval("".join(words), {"numbers": numbers, "shape": shape}).array, shape)


OF_SEQUENCES = (nn.PositionalEncoding, nn.LearnedPositions)
"""Tried in test_explain_attention.py."""


def test_every_kind_of_layer_that_has_a_rule_is_tried():
    """Over one number of axes at least."""
    tried = {without_axes(type(module)) for make in ALL.values() for module in make()[0].children()}
    kinds = {kind for types, _ in KINDS for kind in types}
    assert {without_axes(k) for k in kinds if not issubclass(k, OF_PERCEPTRONS + OF_SEQUENCES)} <= tried


def without_axes(layer):
    return re.sub(r"\dd$", "", layer.__name__)


@pytest.mark.parametrize("name", IMAGE_LAYERS)
def test_layers_on_images_of_any_size_are_explained(name):
    """Also those without a rule of their own, by the formulas of their operations."""
    make, shape = IMAGE_LAYERS[name]
    cr.seed(0)
    model = nn.Sequential(layer=make())
    e = cr.explain(model, drawn(*shape), 0.5 * np.ones(model(drawn(*shape)).shape), "mse")
    assert e.checked, [(s.name, str(s.check)) for s in e.steps if s.check is not None and not s.check]
    assert max(map(len, str(e).splitlines())) <= 100


def test_a_wrong_derivative_is_marked_at_kinks_too(monkeypatch):
    """Windows full of zeros tie; a slope of ReLU that is 0.1 % too large is told from that."""
    model = nn.Sequential(conv=nn.Conv2d(1, 2, 3), act=nn.ReLU(), pool=nn.MaxPool2d(2), mean=nn.GlobalAvgPool())
    images, wanted = drawn(4, 1, 8, 8), np.array([[1.0, -1.0]] * 4)
    right = cr.explain(model, images, wanted, "mse")
    assert right.checked and str(right.step("act.da").check) == "✓ at a kink"
    slope = cr.PRIMITIVES["relu"]._partials[0]
    monkeypatch.setattr(cr.PRIMITIVES["relu"], "_partials", (lambda y, x: 1.001 * slope(y, x),))
    wrong = {s.name for s in cr.explain(model, images, wanted, "mse").steps if s.check is not None and not s.check}
    assert wrong >= {"act.a", "conv.delta", "conv.dW", "conv.db"} and "act.da" not in wrong


# Convolutions, by loops.


def padded(x, layer):
    axes = x.ndim - 2
    padding = layer.padding
    if padding == "same":
        reach = [d * (k - 1) for k, d in zip(layer.kernel_size, layer.dilation, strict=True)]
        pairs = [(r // 2, r - r // 2) for r in reach]
    elif isinstance(padding, int):
        pairs = [(padding, padding)] * axes
    else:
        pairs = list(padding)
    mode = {"zeros": "constant", "circular": "wrap", "reflect": "reflect", "replicate": "edge"}[layer.padding_mode]
    return np.pad(x, [(0, 0), (0, 0), *pairs], mode=mode)


def taps(layer, places):
    """Every output channel, place, input channel of its group and tap, with the entry that is seen."""
    each_in, each_out = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    for o, c in product(range(layer.out_channels), range(each_in)):
        for p in product(*map(range, places)):
            for k in product(*map(range, layer.kernel_size)):
                settings = zip(p, k, layer.stride, layer.dilation, strict=True)
                seen = tuple(a * s + b * d for a, b, s, d in settings)
                yield o, c, o // each_out * each_in + c, p, k, seen


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution_by_loops(name):
    model, _, e = explained(CONVOLUTIONS[name])
    layer, x, w, bar = model.layer, e["before.z"], e["layer.W"], e["layer.delta"]
    wide = padded(x, layer)
    z, dw, dwide = np.zeros(e["layer.z"].shape), np.zeros(w.shape), np.zeros(wide.shape)
    for o, c, channel, p, k, seen in taps(layer, z.shape[2:]):
        z[(slice(None), o, *p)] += w[(o, c, *k)] * wide[(slice(None), channel, *seen)]
        dw[(o, c, *k)] += bar[(slice(None), o, *p)] @ wide[(slice(None), channel, *seen)]
        dwide[(slice(None), channel, *seen)] += w[(o, c, *k)] * bar[(slice(None), o, *p)]
    if layer.bias is not None:
        z += e["layer.b"].reshape(1, -1, *[1] * (z.ndim - 2))
        close(e["layer.db"], bar.sum((0, *range(2, bar.ndim))))
    close(e["layer.z"], z)
    close(e["layer.dW"], dw)
    places = np.arange(x.size).reshape(x.shape).astype(float)
    came_from = padded(places + 1, layer).astype(int) - 1  # −1 where zeros were added
    dx = np.zeros(x.size + 1)
    np.add.at(dx, came_from.ravel(), dwide.ravel())
    close(e["before.delta"], dx[:-1].reshape(x.shape))


@pytest.mark.parametrize("name", TRANSPOSED)
def test_transposed_convolution_by_loops(name):
    model, _, e = explained(TRANSPOSED[name])
    layer, x, w, bar = model.layer, e["before.z"], e["layer.W"], e["layer.delta"]
    cut = [slice(p, p + n) for p, n in zip(layer.padding, bar.shape[2:], strict=True)]
    wide = np.zeros((*bar.shape[:2], *(n + 2 * p for n, p in zip(bar.shape[2:], layer.padding, strict=True))))
    far = np.zeros(wide.shape)
    far[(slice(None), slice(None), *cut)] = bar
    dw, dx = np.zeros(w.shape), np.zeros(x.shape)
    each_in, each_out = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    for c, o in product(range(layer.in_channels), range(each_out)):
        channel = c // each_in * each_out + o
        for p, k in product(product(*map(range, x.shape[2:])), product(*map(range, layer.kernel_size))):
            place = tuple(a * s + b * d for a, b, s, d in zip(p, k, layer.stride, layer.dilation, strict=True))
            there, here = (slice(None), channel, *place), (slice(None), c, *p)
            wide[there] += w[(c, o, *k)] * x[here]
            dw[(c, o, *k)] += far[there] @ x[here]
            dx[here] += w[(c, o, *k)] * far[there]
    bias = 0 if layer.bias is None else e["layer.b"].reshape(1, -1, *[1] * (x.ndim - 2))
    close(e["layer.z"], wide[(slice(None), slice(None), *cut)] + bias)
    close(e["layer.dW"], dw)
    close(e["before.delta"], dx)


@pytest.mark.parametrize("name", [n for n in CONVOLUTIONS if "layer.matrix" in explained(CONVOLUTIONS[n])[2]])
def test_small_convolutions_are_matrices(name):
    _, _, e = explained(CONVOLUTIONS[name])
    matrix, x, z, bar = e["layer.matrix"], e["before.z"], e["layer.z"], e["layer.delta"]
    b = np.repeat(e["layer.b"], z[0, 0].size)
    for i in range(len(x)):
        close(matrix @ x[i].ravel() + b, z[i].ravel())
        close(matrix.T @ bar[i].ravel(), e["before.delta"][i].ravel())
    if name == "circular":
        close(matrix, np.roll(cr.circulant_matrix(e["layer.W"][0, 0], 5), -1, 1))
    elif name == "a kernel of 3":
        close(matrix, cr.toeplitz_matrix(e["layer.W"][0, 0], 5))
    elif name == "zeros around":
        close(matrix, cr.toeplitz_matrix(e["layer.W"][0, 0], 5, "same"))


def test_circulant_and_toeplitz_are_called_so():
    for name, word in (("circular", "circulant"), ("zeros around", "Toeplitz"), ("stride 2", "moved on by the stride")):
        assert word in explained(CONVOLUTIONS[name])[2].step("layer.matrix").caption


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_the_output_that_is_shown_is_the_largest(name):
    _, _, e = explained(CONVOLUTIONS[name])
    z = e["layer.z"]
    assert abs(e["layer.entry"]) == np.abs(z).max()
    assert abs(e["layer.dW_entry"]) == np.abs(e["layer.dW"]).max()
    assert abs(e["layer.da_entry"]) == np.abs(e["before.delta"]).max()
    o = int(np.argwhere(z == e["layer.entry"])[0][1])
    bias = 0 if "layer.b" not in e else e["layer.b"][o]
    close((e["layer.W"][o] * e["layer.window"]).sum() + bias, e["layer.entry"])


def test_how_sizes_come_about():
    notes = explained(CONVOLUTIONS["stride 2"])[2].step("layer.z").notes
    assert "length: $(5 - 2)/2 + 1 = 2$, the fraction rounded down" in notes
    notes = explained(CONVOLUTIONS["images"])[2].step("layer.z").notes
    assert "height and width: $4 + 1 + 1 - 3 + 1 = 4$" in notes
    notes = explained(CONVOLUTIONS["dilation"])[2].step("layer.z").notes
    assert r"height and width: $4 - 2 \cdot (2 - 1) - 1 + 1 = 2$" in notes
    notes = explained(TRANSPOSED["stride and padding"])[2].step("layer.z").notes
    assert r"length: $(3 - 1) \cdot 2 - 2 \cdot 1 + 3 = 5$" in notes


# Pooling, by loops.


def windows(layer, size, places):
    """The entries that every place sees, by slices; and by how many a mean is divided."""
    if isinstance(layer, nn.GlobalAvgPool):
        every = tuple(product(*map(range, size)))
        return {(0,) * len(size): (every, len(every))}
    found = {}
    for p in product(*map(range, places)):
        if hasattr(layer, "kernel_size"):
            axes = [along(layer, n, a) for n, a in zip(size, p, strict=True)]
        else:
            axes = [(range(a * n // m, -(-(a + 1) * n // m)),) * 2 for a, n, m in zip(p, size, places, strict=True)]
        inside = tuple(product(*(a[0] for a in axes)))
        found[p] = inside, prod(len(a[1]) for a in axes)
    return found


def along(layer, n, place):
    stride = layer.kernel_size if layer.stride is None else layer.stride
    dilation = getattr(layer, "dilation", 1)
    seen = [place * stride - layer.padding + k * dilation for k in range(layer.kernel_size)]
    inside = [i for i in seen if 0 <= i < n]
    counted = [i for i in seen if i < n + layer.padding] if getattr(layer, "count_include_pad", False) else inside
    return inside, counted


@pytest.mark.parametrize("name", POOLS)
def test_pooling_by_loops(name):
    model, _, e = explained(POOLS[name])
    x, a, bar = e["before.z"], e["layer.a"], e["layer.da"]
    largest = "max" in name
    if a.ndim == 2:
        a, bar = (v.reshape(*v.shape, *[1] * (x.ndim - 2)) for v in (a, bar))
    want, dx, mask = np.zeros(a.shape), np.zeros(x.shape), np.zeros(x.shape)
    table = windows(model.layer, x.shape[2:], a.shape[2:])
    for n, c in product(*map(range, x.shape[:2])):
        for p, (entries, count) in table.items():
            numbers = np.array([x[(n, c, *i)] for i in entries])
            chosen = (numbers == numbers.max()) / (numbers == numbers.max()).sum() if largest else 1 / count
            share = np.broadcast_to(chosen, numbers.shape)
            want[(n, c, *p)] = numbers.max() if largest else numbers.sum() / count
            for i, s in zip(entries, share, strict=True):
                dx[(n, c, *i)] += s * bar[(n, c, *p)]
                mask[(n, c, *i)] += s
    close(a, want)
    close(e["before.delta"], dx)
    if largest:
        close(e["layer.mask"], mask)
    assert abs(e["layer.entry"]) == np.abs(a).max()
    close(e["layer.da_entry"], dx.ravel()[np.abs(dx).argmax()])


def test_ties_are_said_to_be_ties():
    step = explained(POOLS["max, ties"])[2].step("layer.mask")
    assert step.notes == ("entries that tie share their window",) and (step.value == 0.25).all()


# Norms, by their formulas.


def parts(layer, x):
    """x with what is normed together as its last axis, and the way back."""
    if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
        rows = np.moveaxis(x, 1, 0)
        return rows.reshape(len(rows), -1), lambda r: np.moveaxis(r.reshape(rows.shape), 0, 1)
    if isinstance(layer, nn.LayerNorm | nn.RMSNorm):
        return x.reshape(-1, prod(layer.normalized_shape)), lambda r: r.reshape(x.shape)
    groups = getattr(layer, "num_groups", x.shape[1])
    return x.reshape(len(x) * groups, -1), lambda r: r.reshape(x.shape)


def beside_x(layer, values, x):
    if isinstance(layer, nn.LayerNorm | nn.RMSNorm):
        return values
    return values.reshape(1, -1, *[1] * (x.ndim - 2))


@pytest.mark.parametrize("name", NORMS)
def test_norms_by_their_formulas(name):
    model, _, e = explained(NORMS[name])
    layer, x, bar = model.layer, e["before.z"], e["layer.da"]
    rows, back = parts(layer, x)
    m, fixed = rows.shape[1], "evaluation" in name
    eps = np.finfo(float).eps if layer.eps is None else layer.eps
    if fixed:
        mu, var = (np.asarray(b.data, dtype=float)[:, None] for b in (layer.running_mean, layer.running_var))
    else:
        mu = rows.mean(1, keepdims=True) if "rms" not in name else np.zeros((len(rows), 1))
        var = ((rows - mu) ** 2).mean(1, keepdims=True)
    root = np.sqrt(var + eps)
    x_hat = (rows - mu) / root
    gamma = beside_x(layer, e["layer.weight"], x) if "layer.weight" in e else 1.0
    beta = beside_x(layer, e["layer.bias"], x) if "layer.bias" in e else 0.0
    close(e["layer.a"], gamma * back(x_hat) + beta)
    close(e["layer.x_hat"], back(x_hat))
    close(e["layer.mean_square" if "rms" in name else "layer.var"].ravel(), var.ravel())
    if "rms" not in name:
        close(e["layer.mean"].ravel(), mu.ravel())
    g, _ = parts(layer, gamma * bar)
    if fixed:
        dx = g / root
    else:
        sums = g.sum(1, keepdims=True) if "rms" not in name else 0.0
        dx = (m * g - sums - x_hat * (g * x_hat).sum(1, keepdims=True)) / (m * root)
        close(e["layer.dot"].ravel(), (g * x_hat).sum(1))
    close(e["before.delta"], back(dx))
    over = tuple(i for i in range(x.ndim) if np.ndim(gamma) < x.ndim or gamma.shape[i] == 1)
    if "layer.weight" in e:
        over = over if np.ndim(gamma) == x.ndim else tuple(range(x.ndim - np.ndim(gamma)))
        close(e["layer.dweight"].ravel(), (bar * back(x_hat)).sum(over).ravel())
    if "layer.bias" in e:
        close(e["layer.dbias"].ravel(), bar.sum(over).ravel())


@pytest.mark.parametrize("name", [n for n in NORMS if n.startswith("batch norm") and "evaluation" not in n])
def test_running_statistics_are_those_the_layer_keeps(name):
    model, x, e = explained.__wrapped__(NORMS[name])
    model.astype("float64")(x)
    close(e["layer.running_mean"], model.layer.running_mean.data)
    close(e["layer.running_var"], model.layer.running_var.data)


def test_in_evaluation_nothing_is_said_of_batches():
    e = explained(NORMS["batch norm, evaluation"])[2]
    assert "layer.running_mean" not in {s.name for s in e.steps} and "layer.dot" not in e
    assert str(e.step("layer.mean")) == "μ = the running mean"
    assert str(e.step("before.delta")) == "Δ⁽¹⁾ = g/√(σ² + ε)"


# The others.


@pytest.mark.parametrize("name", MAPS)
def test_fixed_maps_are_matrices(name):
    model, _, e = explained(MAPS[name])
    x, layer = e["before.z"], model.layer
    nothing = np.asarray(layer(np.zeros(x.shape)))
    columns = [np.asarray(layer(unit.reshape(x.shape))) - nothing for unit in np.eye(x.size)]
    matrix = np.stack([c.ravel() for c in columns], 1)
    close(e["layer.a"].ravel(), matrix @ x.ravel() + nothing.ravel())
    close(e["before.delta"].ravel(), matrix.T @ e["layer.da"].ravel())


@pytest.mark.parametrize("name", DROPOUTS)
def test_masks(name):
    model, _, e = explained(DROPOUTS[name])
    mask, keep = e["layer.mask"], 1 - model.layer.p
    assert set(np.unique(mask)) <= {0, 1}
    close(e["layer.a"], e["before.z"] * mask / keep)
    close(e["before.delta"], e["layer.da"] * mask / keep)
    if name.startswith("channels"):
        assert (mask == mask[:, :, :1]).all()


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_embeddings_pick_rows_and_add_derivatives_up(name):
    model, ids, e = explained(EMBEDDINGS[name])
    table, bar = e["layer.weight"], e["layer.da"]
    close(e["layer.a"], np.stack([[table[i] for i in row] for row in ids]))
    wanted, counts = np.zeros(table.shape), np.zeros(len(table), int)
    for n, t in np.ndindex(ids.shape):
        counts[ids[n, t]] += 1
        if ids[n, t] != model.layer.padding_idx:
            wanted[ids[n, t]] += bar[n, t]
    close(e["layer.dweight"], wanted)
    np.testing.assert_array_equal(e["layer.counts"], counts)
    assert "dx" not in e


def test_what_is_elided_keeps_the_largest():
    """Of many matrices the one with the entry of largest size is shown, and its place is said."""
    x = np.zeros((2, 6, 3, 3))
    x[1, 2, 0, 0] = -9.0
    assert is_elided(x)
    model = nn.Sequential(conv=nn.Conv2d(6, 1, 1))
    text = str(cr.explain(model, x, np.zeros((2, 1, 3, 3)), "half-squared")).split("Forward")[0]
    assert "(2,3,·,·)" in text and "−9" in text and "(1,3,·,·)" not in text


def test_layers_called_as_functions_are_told_like_layers():
    class Net(nn.Module):
        def __init__(self):
            self.conv, self.fc = nn.Conv2d(1, 2, 3), nn.Linear(8, 2)

        def forward(self, x):
            h = cr.max_pool(cr.relu(self.conv(x)), 2)
            return self.fc(cr.flatten(h, 1) + cr.flatten(h, 1))

    e = cr.explain(Net(), drawn(2, 1, 6, 6), np.ones((2, 2)), "mse")
    assert e.checked
    pooled = cr.max_pool(np.maximum(e["conv.z"], 0), 2)
    close(e["max_pool.a"], pooled)
    assert e["max_pool.mask"].sum() == pooled.size
    assert str(e.step("add.a")) == "H₃ = H₁ + H₂"


def test_reshaping_says_what_it_does():
    assert str(explained(ALL["shape: flatten"])[2].step("layer.a")) == "H₁ = vec Z⁽¹⁾"
    assert str(explained(ALL["shape: unflatten"])[2].step("layer.a")) == "H₁ = reshape(Z⁽¹⁾)"
