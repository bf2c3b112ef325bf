"""Figures hold the numbers they claim, are files of the format asked for, and equal seeds give equal files."""

import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses, nn
from chainrule.glass.drawing.directions import filter_normalised

PNG = b"\x89PNG\r\n\x1a\n"
EXACT = 1e-12  # float64 rounding
SINGLE = 1e-6  # float32 rounding of a few layers


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def model():
    cr.seed(0)
    return cr.models.MLP(2, 5, 4, 3, activation="tanh")


@pytest.fixture
def data():
    draw = np.random.default_rng(0)
    return draw.standard_normal((30, 2)).astype(np.float32), draw.integers(0, 3, 30)


def lines(figure, panel=0):
    return {line.get_label(): np.stack([line.get_xdata(), line.get_ydata()], 1) for line in figure.axes[panel].lines}


def parameters_of(model):
    return {name: p.numpy().copy() for name, p in model.named_parameters()}


PICTURES = {
    "boundary": lambda m, x, y, path: cr.draw.boundary(m, x, y, resolution=30, path=path),
    "activation": lambda m, x, y, path: cr.draw.activation("tanh", path=path),
    "gradient_flow": lambda m, x, y, path: cr.draw.gradient_flow(m, x, y, losses.cross_entropy, path=path),
    "histograms": lambda m, x, y, path: cr.draw.histograms({0: x, 10: 2 * x}, path=path),
    "filters": lambda m, x, y, path: cr.draw.filters(nn.Conv2d(3, 11, 3), path=path),
    "feature_maps": lambda m, x, y, path: cr.draw.feature_maps(nn.Conv2d(1, 9, 3), np.ones((1, 8, 8)), path=path),
    "attention": lambda m, x, y, path: cr.draw.attention(np.full((5, 3, 3), 1 / 3), queries="abc", path=path),
    "hidden_states": lambda m, x, y, path: cr.draw.hidden_states(x, inputs=["$"] * 30, path=path),
    "landscape": lambda m, x, y, path: cr.draw.landscape(m, x, y, losses.cross_entropy, points=5, path=path),
    "landscape_slice": lambda m, x, y, path: cr.draw.landscape_slice(
        m, x, y, losses.cross_entropy, points=5, path=path
    ),
    "curves": lambda m, x, y, path: cr.draw.curves([[{"epoch": 1, "validation_loss": 2.0}]], path=path),
}


def test_every_picture_is_drawn_here():
    assert {*PICTURES, "network", "graph"} == set(cr.draw.__all__)


@pytest.mark.parametrize("name", PICTURES)
def test_files(name, model, data, tmp_path):
    """Both formats; the same picture is the same file; the model is left as it was."""
    before = parameters_of(model)
    for file in ("a.png", "a.svg", "b.svg"):
        cr.seed(1)
        PICTURES[name](model, *data, tmp_path / file)
    assert (tmp_path / "a.png").read_bytes().startswith(PNG)
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert model.training
    for part, value in model.named_parameters():
        np.testing.assert_array_equal(value.numpy(), before[part])
        assert value.grad is None


def test_hidden_units_have_their_lines(model, data):
    drawn = {k: v for k, v in lines(cr.draw.boundary(model, *data, resolution=20)).items() if "z" in k}
    W, b = model.fc1.weight.numpy(), model.fc1.bias.numpy()
    assert len(drawn) == 5  # the biases are 0, so every line crosses the data
    for points, w, c in zip(drawn.values(), W, b, strict=True):
        np.testing.assert_allclose(points @ w + c, 0, atol=SINGLE)


def test_areas_are_what_the_model_says(model, data):
    figure = cr.draw.boundary(model, *data, resolution=11)
    mesh = figure.axes[0].collections[0]
    corners = mesh.get_coordinates()  # of cells, whose middles are the points asked
    middles = (corners[:-1, :-1] + corners[1:, 1:]) / 2
    said = cr.predict(model, middles.reshape(-1, 2).astype(np.float32), task="classification")
    np.testing.assert_array_equal(np.asarray(mesh.get_array()).ravel(), said)
    shown = {k: len(v) for k, v in lines(figure).items() if k.startswith("class")}
    assert shown == {f"class {k}": n for k, n in enumerate(np.bincount(data[1]))}


@pytest.mark.parametrize("signs", [(0, 1), (-1, 1)])
def test_one_output_has_two_classes(data, signs):
    x, y = data
    figure = cr.draw.boundary(nn.Linear(2, 1), x, np.where(y > 0, signs[1], signs[0]), resolution=10)
    assert {k for k in lines(figure) if k.startswith("class")} == {"class 0", "class 1"}
    sigmoid = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
    said = cr.draw.boundary(sigmoid, x, y > 0, threshold=0.5, resolution=10).axes[0].collections[0].get_array()
    assert 0 < np.mean(np.asarray(said)) < 1


def test_tanh_and_its_slope_and_where_it_saturates():
    figure = cr.draw.activation("tanh", low=-5, high=5)
    drawn = lines(figure)
    z = drawn["f(z)"][:, 0]
    np.testing.assert_allclose(drawn["f(z)"][:, 1], np.tanh(z), rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(drawn["f′(z)"][:, 1], 1 / np.cosh(z) ** 2, rtol=1e-9, atol=EXACT)
    spans = [patch.get_bbox() for patch in figure.axes[0].patches]
    edge = np.arccosh(np.sqrt(20))  # where 1/cosh² is 0.05
    np.testing.assert_allclose([(s.x0, s.x1) for s in spans], [(-5, -edge), (edge, 5)], atol=10 / 800)


@pytest.mark.parametrize(("name", "zones"), [("relu", [(-6, 0)]), ("gelu", [(-6, -2.29)]), ("identity", [])])
def test_zones_of_saturation(name, zones):
    spans = [patch.get_bbox() for patch in cr.draw.activation(name).axes[0].patches]
    assert [(s.x0, s.x1) for s in spans] == [pytest.approx(zone, abs=0.05) for zone in zones]


def test_gradient_flow_shows_the_norms(data):
    x, y = data
    model = nn.Sequential(a=nn.Linear(2, 3), act=nn.Tanh(), drop=nn.Dropout(0.5), b=nn.Linear(3, 3))
    z1 = cr.tensor(x, requires_grad=True) @ cr.transpose(model.a.weight) + model.a.bias
    z2 = cr.tanh(z1) @ cr.transpose(model.b.weight) + model.b.bias
    deltas = cr.gradients(losses.cross_entropy(z2, y), [z1, z2])
    drawn = lines(cr.draw.gradient_flow(model, x, y, losses.cross_entropy))
    norms = [np.linalg.norm(d.numpy()) for d in deltas]
    np.testing.assert_allclose(drawn["‖δ‖"], np.stack([[1, 2], norms], 1), rtol=10 * SINGLE)
    parts = cr.gradients(losses.cross_entropy(z2, y), [list(model.a.parameters()), list(model.b.parameters())])
    slopes = [np.sqrt(sum(np.sum(p.numpy() ** 2) for p in layer)) for layer in parts]
    np.testing.assert_allclose(drawn["‖∂L/∂W‖"][:, 1], slopes, rtol=10 * SINGLE)


def test_gradient_flow_through_a_recurrent_layer():
    class Last(nn.Module):
        def __init__(self):
            self.rnn, self.head = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

        def forward(self, x):
            return self.head(self.rnn(x)[0][:, -1])

    figure = cr.draw.gradient_flow(Last(), np.ones((5, 6, 3), np.float32), np.zeros(5, int), "cross-entropy")
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["rnn", "head"]
    assert np.isfinite(lines(figure)["‖δ‖"]).all()


def test_histograms_are_shares_with_quantiles():
    draw = np.random.default_rng(0)
    recorded = {10: draw.standard_normal((20, 5)), 0: np.zeros(7)}
    figure = cr.draw.histograms(recorded, bins=12)
    shares = np.asarray(figure.axes[0].collections[0].get_array())
    np.testing.assert_allclose(shares.sum(axis=0), [1, 1], rtol=EXACT)
    assert shares.shape == (12, 2) and np.sort(shares[:, 0])[-1] == 1
    np.testing.assert_allclose(lines(figure)["median"], [[0, 0], [10, np.median(recorded[10])]], rtol=EXACT)


def test_filters_are_the_weights():
    layer = nn.Conv2d(2, 11, 3)
    figure = cr.draw.filters(layer)
    panels = {axis.get_title(): np.asarray(axis.images[0].get_array()) for axis in figure.axes if axis.images}
    assert len(panels) == 22
    for name, shown in panels.items():
        i, j = map(int, name.split(", "))
        np.testing.assert_array_equal(shown, layer.weight.numpy()[i, j])
    assert figure._suptitle.get_text() == "11 filters\n2 channels"
    assert cr.draw.filters(nn.Conv2d(9, 40, 1))._suptitle.get_text() == "32 of 40 filters\n8 of 9 channels"


def test_filters_of_a_transposed_convolution_are_its_outputs():
    layer = nn.ConvTranspose2d(2, 3, 4)
    panels = {axis.get_title(): axis.images[0].get_array() for axis in cr.draw.filters(layer).axes if axis.images}
    assert len(panels) == 6
    np.testing.assert_array_equal(np.asarray(panels["2, 1"]), layer.weight.numpy()[1, 2])


def test_a_loss_that_is_not_finite_leaves_white_places(model, data):
    def shown(loss):
        return cr.draw.landscape(model, *data, loss, points=5).axes[0].collections[0].get_array()

    everywhere = np.asarray(shown(losses.cross_entropy))
    edge = np.median(everywhere) * (1 + SINGLE)

    def exploding(p, y):
        value = losses.cross_entropy(p, y)
        return cr.tensor(np.inf) if float(value) > edge else value

    np.testing.assert_array_equal(np.ma.getmaskarray(shown(exploding)), everywhere > edge)


def test_feature_maps_are_the_result():
    layer = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU())
    image = np.random.default_rng(0).standard_normal((2, 6, 6)).astype(np.float32)
    panels = [np.asarray(a.images[0].get_array()) for a in cr.draw.feature_maps(layer, image).axes if a.images]
    np.testing.assert_allclose(panels, layer(image[None]).numpy()[0], rtol=SINGLE)


def test_attention_and_hidden_states_are_what_was_given():
    w = np.random.default_rng(0).dirichlet(np.ones(4), (6, 3))
    figure = cr.draw.attention(w[None], queries="abc", keys="wxyz")
    np.testing.assert_array_equal([np.asarray(a.images[0].get_array()) for a in figure.axes if a.images], w)
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["a", "b", "c"]
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["w", "x", "y", "z"]
    h = cr.tensor(w[0])
    np.testing.assert_array_equal(np.asarray(cr.draw.hidden_states(h).axes[0].images[0].get_array()), w[0].T)


def test_directions_are_as_long_as_the_weights_filter_by_filter(model):
    direction = filter_normalised(model, cr.Key(3))
    for name, w in parameters_of(model).items():
        if w.ndim == 1:
            assert not direction[name].any()
        else:
            lengths = np.linalg.norm(direction[name], axis=1)
            np.testing.assert_allclose(lengths, np.linalg.norm(w, axis=1), rtol=SINGLE)
    again = filter_normalised(model, cr.Key(3))
    assert all((direction[name] == again[name]).all() for name in direction)
    assert (filter_normalised(model, cr.Key(4))["fc1.weight"] != direction["fc1.weight"]).any()


def test_landscape_is_the_loss(model, data):
    x, y = data
    figure = cr.draw.landscape(model, x, y, losses.cross_entropy, points=3, span=0.5, seed=7)
    values = np.asarray(figure.axes[0].collections[0].get_array()).reshape(3, 3)
    start = parameters_of(model)
    d1, d2 = (filter_normalised(model, cr.Key(7) / "landscape" / k) for k in (1, 2))
    for i, b in enumerate((-0.5, 0, 0.5)):
        for j, a in enumerate((-0.5, 0, 0.5)):
            for name, p in model.named_parameters():
                p.data[...] = start[name] + np.float32(a) * d1[name] + np.float32(b) * d2[name]
            assert values[i, j] == pytest.approx(float(losses.cross_entropy(model(x), y)), rel=10 * SINGLE)


def test_slices_meet_in_the_loss_and_are_lines_of_the_landscape(model, data):
    x, y = data
    here = float(losses.cross_entropy(model(x), y))
    drawn = lines(cr.draw.landscape_slice(model, x, y, losses.cross_entropy, points=3, span=0.5, seed=7))
    for k in "₁₂₃":
        assert drawn[f"along d{k}"][1].tolist() == [0.0, pytest.approx(here, rel=SINGLE)]
    figure = cr.draw.landscape(model, x, y, "cross-entropy", points=3, span=0.5, seed=7)
    values = np.asarray(figure.axes[0].collections[0].get_array()).reshape(3, 3)
    np.testing.assert_allclose(values[1], drawn["along d₁"][:, 1], rtol=SINGLE)
    np.testing.assert_allclose(values[:, 1], drawn["along d₂"][:, 1], rtol=SINGLE)


def test_curves_have_the_mean_and_its_interval():
    runs = [[{"epoch": e, "train_loss": v + e} for e in (1, 2, 3)[:n]] for v, n in ((1.0, 3), (2.0, 2), (6.0, 3))]
    figure = cr.draw.curves({"Adam": runs}, "train_loss")
    (label,) = (k for k in lines(figure) if k.startswith("Adam"))
    assert label == "Adam: mean of 3 runs, 95 % interval"
    assert lines(figure)[label].tolist() == [[1, 4], [2, 5]]  # as far as all go
    band = figure.axes[0].collections[0].get_paths()[0].vertices
    found = cr.metrics.mean_interval([2.0, 3.0, 7.0])
    at_one = band[band[:, 0] == 1, 1]
    np.testing.assert_allclose([at_one.min(), at_one.max()], [found.low, found.high], rtol=EXACT)


def test_curves_take_what_fit_gives(data):
    x, y = data
    histories = []
    for seed in (0, 1):
        cr.seed(seed)
        histories.append(cr.fit(cr.models.MLP(2, 4, 3), (x, y), epochs=2, progress=False))
    column = "train_loss"
    (mean,) = (v for k, v in lines(cr.draw.curves(histories, column)).items() if k.startswith("mean"))
    np.testing.assert_allclose(mean[:, 1], np.mean([h[column] for h in histories], axis=0), rtol=EXACT)
