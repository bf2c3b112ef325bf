"""Laws of the report: texts of the data are harmless, equal runs are equal pages, charts stay in their frame."""

import csv
import re
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.cli.settings import Settings
from chainrule.cli.training import train
from chainrule.glass.drawing.axis import round_step
from chainrule.glass.drawing.chart import Chart, Layer, histogram
from chainrule.glass.drawing.png import grey, png
from chainrule.glass.reporting.markup import Html, facts, shortened, table

TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "nav", "a", "div", "span", "b", "ul", "li",
    "section", "table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "img", "pre", "code", "wbr",
    "svg", "text", "path", "rect", "circle", "g", "defs", "marker",
}  # fmt: skip
EVIL = (
    "<script>alert(1)</script>",
    'x" onerror="alert(2)',
    "a & b <i>",
    "</table></style><img src=x onerror=alert(3)>",
)


class Reader(HTMLParser):
    """Tags, attributes and texts of a page; every tag that is opened is closed."""

    VOID = ("meta", "img", "path", "rect", "circle", "wbr")

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open = set(), [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def check(page):
    """Only tags that a report has; no scripts, no addresses but anchors and pictures it carries."""
    reader = Reader(page)
    assert reader.open == []
    assert reader.tags <= TAGS
    for tag, name, value in reader.attributes:
        assert not name.startswith("on")
        if name in ("href", "src"):
            assert value.startswith(("#", "data:image/png;base64,")), (tag, value)
    return reader


def evil_table(path, task):
    rows = np.random.default_rng(0).standard_normal((90, 3))
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*EVIL[:3], EVIL[3]])
        for x in rows:
            score = float(x.sum())
            writer.writerow(
                [*x.round(3), EVIL[int(np.digitize(score, [-1, 1]))] if task == "classes" else round(score, 3)]
            )


@pytest.mark.parametrize("task", ["classes", "values"])
def test_texts_of_the_data_are_harmless(task, tmp_path):
    evil_table(tmp_path / "evil<script>.csv", task)
    folder = tmp_path / "run"
    folder.mkdir()
    made = Settings(str(tmp_path / "evil<script>.csv"), target=EVIL[3], epochs=2, hidden=(4,), scale="standardize")
    train(made, folder, show=False)
    reader = check(cr.report(folder).html)
    said = "".join(reader.texts)
    for name in EVIL[:3]:
        assert shortened(name, 24) in said


def test_the_same_run_is_the_same_page(tmp_path):
    pages = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        train(Settings("iris", epochs=3, hidden=(6,), lr=0.01), folder, show=False)
        assert cr.report(folder).html == cr.report(folder).html
        pages.append(cr.report(folder).html.replace(str(folder), "FOLDER"))
    first, second = (re.sub(r"[\d.e−+-]+ m?s\b", "TIME", page) for page in pages)
    assert first == second
    check(first)


def test_a_report_changes_nothing_in_the_folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    train(Settings("iris", epochs=2, hidden=(6,)), folder, show=False)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    cr.report(folder, folder / "report.html")
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert after.pop("report.html").startswith(b"<!DOCTYPE html>")
    assert after == before


@given(st.text(), st.text(), st.lists(st.tuples(st.text(), st.one_of(st.text(), st.floats(), st.integers()))))
@settings(max_examples=60)
def test_markup_escapes_every_text(head, cell, pairs):
    page = table([head], [[cell]]) + facts(pairs)
    reader = Reader(page)
    assert reader.tags <= {"div", "table", "thead", "tbody", "tr", "th", "td"}
    assert reader.open == []
    assert shortened(cell).replace("\r", "") in shortened("".join(reader.texts)) or len(cell) > 5
    assert table([], [[Html("<td>kept</td>")]]).count("<td>") == 1


numbers = st.floats(-1e12, 1e12) | st.sampled_from([0.0, np.nan, np.inf, -np.inf, 1e-300, 1e300])


@given(st.lists(st.tuples(numbers, numbers), max_size=30), st.booleans(), st.sampled_from(["line", "points", "bars"]))
@settings(max_examples=150)
def test_a_chart_stays_in_its_frame(pairs, log, kind):
    x, y = (np.array([pair[k] for pair in pairs]) for k in (0, 1))
    if kind == "bars":
        x, y = np.arange(len(y)), np.abs(y)
    with np.errstate(all="ignore"):
        chart = Chart([Layer(x, y, "data", kind=kind)], "x", "y", log)
        drawn = str(chart)
    assert "nan" not in drawn and "inf" not in drawn.replace("infinite", "")
    for cx, cy in re.findall(r'<circle cx="([-\d.]+)" cy="([-\d.]+)"', drawn):
        assert 0 <= float(cx) <= chart.width and 0 <= float(cy) <= chart.height
    Reader(drawn)


@given(st.floats(1e-200, 1e200))
def test_steps_of_an_axis_are_round(wanted):
    step = round_step(wanted)
    assert wanted * (1 - 1e-9) <= step <= wanted * 2.5 * (1 + 1e-9)


def test_a_histogram_counts_everything():
    values = np.random.default_rng(0).standard_normal(1000)
    assert sum(histogram(values).layers[0].y) == 1000


@pytest.mark.parametrize("shape", [(3, 5), (4, 2, 3)])
def test_a_png_holds_its_pixels(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    data = png(pixels)
    width, height = (int.from_bytes(data[k : k + 4], "big") for k in (16, 20))
    assert (height, width) == shape[:2]
    start = data.index(b"IDAT")
    size = int.from_bytes(data[start - 4 : start], "big")
    rows = np.frombuffer(zlib.decompress(data[start + 4 : start + 4 + size]), np.uint8).reshape(height, -1)
    np.testing.assert_array_equal(rows[:, 1:].reshape(shape), pixels)
    matplotlib = pytest.importorskip("matplotlib.image")
    import io

    read = np.round(matplotlib.imread(io.BytesIO(data)) * 255).astype(np.uint8)
    np.testing.assert_array_equal(read[..., :3] if len(shape) == 3 else read, pixels)
    assert grey(np.array([0.0, 0.5, 1.0]), 0.0, 1.0).tolist() == [255, 128, 0]
