"""Pages are opened in headless Chromium: they need no network, complain of nothing, and nothing overlaps."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn, optim
from chainrule.glass import EXAMPLES, explain_graph
from chainrule.optim import OPTIMIZERS
from tests.laws.test_explain_laws import LAYERS, shallow

WIDTHS = (1000, 420)
"""A window on a desk, and a narrow one."""

BAD = """<!DOCTYPE html><body style="margin: 0">
<div style="height: 10px">one line<br>and another</div><div>under it all</div>
<script>console.error("oh"); nothere()</script>
<img src="http://example.com/a.png">
<svg width="300" height="40"><text x="5" y="20">label one</text><text x="25" y="22">label two</text></svg>
<div style="width: 2000px; height: 1em"></div>
</body>"""

FAULTS = [
    "console: oh",
    "console: ReferenceError: nothere is not defined",
    "console: Failed to load resource: net::ERR_NAME_NOT_RESOLVED",
    "network: http://example.com/a.png",
    "overlap: 'under it all' and 'and another'",
    "overlap: 'label one' and 'label two'",
    "width: <div> '' reaches from 0 to 2000 of 1000",
    "width: the page is 2000 wide, its window 1000",
]


def test_what_is_wrong_with_a_page_is_found(browser, tmp_path):
    """The measure itself: a page with one fault of each kind."""
    file = tmp_path / "bad.html"
    file.write_text(BAD, encoding="utf-8")
    found = [fault.split("\n")[0] for fault in browser.open(file).faults()]
    assert sorted(found) == sorted(FAULTS)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_worked_example_is_a_page_in_order(name, width, browser, tmp_path):
    file = tmp_path / f"{name}.html"
    file.write_text(EXAMPLES[name]().html(), encoding="utf-8")
    assert browser.open(file, width=width).faults() == []


def explained(model, **options):
    cr.seed(0)
    rng = np.random.default_rng(0)
    return cr.explain(model, rng.standard_normal((5, 3)), rng.standard_normal((5, 2)), "mse", **options)


def large():
    model = nn.Sequential(fc1=nn.Linear(40, 30), act=nn.ReLU(), fc2=nn.Linear(30, 10))
    x, y = np.random.default_rng(2).standard_normal((50, 40)), np.arange(50) % 10
    return [cr.explain(model, x, y, "cross-entropy", optimizer=optim.Adam)]


KINDS = [make for name, make in LAYERS.items() if not name.startswith("activation") or name.endswith("gelu")]
"""One activation stands for all: they differ in a name and a formula, and `test_paper` writes them all."""

NOTEBOOKS = {
    "layers in rows": lambda: [explained(make(), lr=0.1) for make in KINDS],
    "layers in columns": lambda: [explained(make(), lr=0.1, layout="columns") for make in KINDS],
    "optimisers": lambda: [explained(shallow(nn.ReLU()), optimizer=kind) for kind in OPTIMIZERS.values()],
    "large layers": large,
    "graphs": lambda: [explain_graph(lambda a_b, x1: cr.sin(a_b) / x1 + cr.exp(-x1) ** 2.5, 1e-7, -2.5)],
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_of_explanations_is_in_order(name, browser, tmp_path):
    """What Jupyter shows of each, one below the other on a page."""
    file = tmp_path / "notebook.html"
    bodies = "\n".join(told._repr_html_() for told in NOTEBOOKS[name]())
    file.write_text(f'<!DOCTYPE html><meta charset="utf-8"><body>{bodies}</body>', encoding="utf-8")
    assert browser.open(file).faults() == []


def test_mathematics_is_typeset(browser, tmp_path):
    """Fractions are as tall as two lines, matrices as their rows, brackets as what they hold."""
    file = tmp_path / "page.html"
    file.write_text(EXAMPLES["tiny-network"]().html(), encoding="utf-8")
    page = browser.open(file)
    heights = page.run(
        """({ line: document.querySelector("math mi").getBoundingClientRect().height,
        fractions: [...document.querySelectorAll("mfrac")].map((e) => e.getBoundingClientRect().height),
        matrices: [...document.querySelectorAll("mtable")].map((e) =>
          e.getBoundingClientRect().height / e.querySelectorAll("mtr").length) })"""
    )
    assert heights["fractions"] and min(heights["fractions"]) > 1.5 * heights["line"]
    assert heights["matrices"] and min(heights["matrices"]) > heights["line"]
