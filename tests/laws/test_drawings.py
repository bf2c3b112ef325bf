"""Drawings as SVG: they parse, nothing overlaps, edges run down past no box, the facts are those of summary."""

from itertools import combinations, pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

import chainrule as cr
from chainrule.glass.drawing.layering import SIDE, layout
from chainrule.glass.drawing.svg import SIZE
from tests.laws.zoo import ZOO

SVG = "{http://www.w3.org/2000/svg}"
WIDEST = 0.602 * SIZE
"""Width of a letter in the widest of the fonts asked for, DejaVu Sans Mono."""

ROUNDED = 0.11
"""Places are written with one decimal, so that two of them can be nearer by 0.1."""


def network_of(name):
    model, _, data = ZOO[name].draw()
    return cr.draw.network(model, data()[0])


def graph_of(name):
    model, _, data = ZOO[name].draw()
    x, y = data()
    names = dict(model.named_parameters())
    return cr.draw.graph(ZOO[name].loss(model(x), y), values=True, adjoints=True, names=names)


def boxes_of(drawing):
    """Frames with their texts, as they stand in the SVG."""
    found = []
    for group in ElementTree.fromstring(str(drawing)).iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        frame = [float(rect.get(k, "")) for k in ("x", "y", "width", "height")]
        found.append((frame, [(float(t.get("x", "")), float(t.get("y", "")), t.text or "") for t in group[1:]]))
    return found


def apart(a, b):
    return (
        a[0] + a[2] <= b[0] + ROUNDED
        or b[0] + b[2] <= a[0] + ROUNDED
        or a[1] + a[3] <= b[1] + ROUNDED
        or b[1] + b[3] <= a[1] + ROUNDED
    )


@pytest.mark.parametrize("draw", [network_of, graph_of])
@pytest.mark.parametrize("name", ZOO)
def test_nothing_overlaps(name, draw):
    drawing = draw(name)
    boxes = boxes_of(drawing)
    assert len(boxes) == len(drawing.boxes) > 1
    for (a, _), (b, _) in combinations(boxes, 2):
        assert apart(a, b)
    for (x, y, w, h), texts in boxes:
        assert x >= 0 and y >= 0 and x + w <= drawing.width and y + h <= drawing.height
        lines = [y_text for _, y_text, _ in texts]
        assert all(below - above >= 1.2 * SIZE for above, below in pairwise(lines))
        for x_text, y_text, text in texts:
            half = len(text) * WIDEST / 2
            assert x <= x_text - half and x_text + half <= x + w
            assert y <= y_text - SIZE * 0.8 and y_text + 0.2 * SIZE <= y + h


@pytest.mark.parametrize("name", ZOO)
def test_edges_run_down_and_past_no_box(name):
    drawing = graph_of(name)
    frames = [(x - w / 2, top, w, h) for (x, top), (w, h) in zip(
        zip(drawing.layout.centres, drawing.layout.tops, strict=True), [b.size for b in drawing.boxes], strict=True
    )]  # fmt: skip
    for (parent, child), route in zip(drawing.edges, drawing.layout.routes, strict=True):
        heights = [y for piece in route for _, y in piece]
        assert heights == sorted(heights)
        assert route[0][0][1] == pytest.approx(frames[parent][1] + frames[parent][3])
        assert route[-1][1][1] == pytest.approx(frames[child][1])
        for (x, top), (_, bottom) in route[1:-1]:
            assert not any(l < x < l + w and t < bottom and top < t + h for l, t, w, h in frames)


@pytest.mark.parametrize("name", ZOO)
def test_the_network_has_the_facts_of_its_summary(name):
    model, _, data = ZOO[name].draw()
    x, _ = data()
    drawing, facts = cr.draw.network(model, x), cr.nn.summary(model, x)
    told = [t.removesuffix("s").removesuffix(" parameter") for t in drawing.texts if " parameter" in t]
    assert sum(int(n.replace(",", "")) for n in told) == facts.n_parameters == model.n_parameters
    called = {row.path or facts.title for row in facts.rows if row.shape is not None}
    assert called <= set(drawing.texts)
    assert drawing.texts.count("input") == 1
    reached = {child for _, child in drawing.edges} | {0}
    assert reached == set(range(len(drawing.boxes)))


def test_shapes_may_stand_for_examples_and_drawings_are_equal():
    model = cr.models.MLP(5, 7, 3)
    assert str(cr.draw.network(model, (8, 5))) == str(cr.draw.network(model, np.zeros((8, 5), np.float32)))


def test_a_layer_that_passes_on_is_drawn_on_the_way():
    model = cr.nn.Sequential(a=cr.nn.Linear(2, 3), drop=cr.nn.Dropout(0.5), b=cr.nn.Linear(3, 1))
    drawing = cr.draw.network(model, (4, 2))
    assert drawing.edges == [(0, 1), (1, 2), (2, 3)]
    assert model.training


def test_a_shortcut_is_an_edge_of_its_own():
    model = cr.nn.Sequential(cr.nn.Residual(cr.nn.Linear(5, 5)), cr.nn.Linear(5, 3))
    assert sorted(cr.draw.network(model, (4, 5)).edges) == [(0, 1), (0, 2), (1, 2), (2, 3)]


@pytest.mark.parametrize("seed", range(20))
def test_boxes_of_any_graph_keep_their_distance(seed):
    draw = np.random.default_rng(seed)
    n = int(draw.integers(1, 40))
    edges = [(int(draw.integers(0, c)), c) for c in range(1, n) for _ in range(draw.integers(0, 4))]
    sizes = [(float(w), float(h)) for w, h in draw.uniform(20, 200, (n, 2))]
    placed = layout(sizes, edges)
    for i, j in combinations(range(n), 2):
        if placed.tops[i] == placed.tops[j]:
            room = (sizes[i][0] + sizes[j][0]) / 2 + SIDE
            assert abs(placed.centres[i] - placed.centres[j]) >= room * (1 - 1e-9)
        else:
            above, below = (i, j) if placed.tops[i] < placed.tops[j] else (j, i)
            assert placed.tops[above] + sizes[above][1] < placed.tops[below]
    assert min(c - w / 2 for c, (w, _) in zip(placed.centres, sizes, strict=True)) >= -1e-9
    assert max(c + w / 2 for c, (w, _) in zip(placed.centres, sizes, strict=True)) <= placed.width + 1e-9


def test_texts_are_escaped(tmp_path):
    x = cr.tensor(1.0, requires_grad=True)
    drawing = cr.draw.graph(x * x, names={"<a> & b": x}, path=tmp_path / "g.svg")
    written = ElementTree.fromstring((tmp_path / "g.svg").read_text(encoding="utf-8"))
    assert "<a> & b" in [t.text for t in written.iter(f"{SVG}text")]
    assert drawing._repr_svg_() == str(drawing)
    assert repr(drawing) == "<Drawing 'Computational graph of multiply': 2 boxes, 2 edges>"


def test_a_leaf_that_is_used_by_all_steps_has_one_line_with_branches():
    """390 steps that use one leaf: boxes without width are as many as layers, not as their square."""
    x = y = cr.tensor(1.0, requires_grad=True)
    for _ in range(390):
        y = y * x
    drawing = cr.draw.graph(y)
    passed = {piece for route in drawing.layout.routes for piece in route[1:-1]}
    assert len(drawing.boxes) == 391 and len(passed) == 389
