"""LaTeX output compiles, whatever the layers are and however they are named, and fits the page."""

import re
import shutil
import subprocess

import numpy as np
import pytest

import chainrule as cr
from chainrule import losses, nn, optim
from chainrule.glass import EXAMPLES, explain_graph
from chainrule.optim import OPTIMIZERS
from tests.laws.test_explain_laws import LAYERS, TARGETS, shallow

ENGINE = next(filter(None, map(shutil.which, ("pdflatex", "lualatex", "xelatex"))), None)
WIDER = re.compile(r"Overfull \\hbox \((\d+\.\d+)pt too wide\)")
MARGIN = 20.0
"""Points that a line may reach into the margin of 57: breaks are found by counting letters."""

pytestmark = pytest.mark.skipif(ENGINE is None, reason="no TeX engine is installed, so no document is compiled")


def compiled(source, folder):
    """The log of a document that compiles; the lines of the error where it does not."""
    (folder / "paper.tex").write_text(source, encoding="utf-8")
    command = [ENGINE, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace")
    log = (folder / "paper.log").read_text(encoding="utf-8", errors="replace")
    wrong = re.findall(r"^! .*(?:\n.*){0,6}", log, re.MULTILINE)
    assert run.returncode == 0 and not wrong, "\n".join(wrong)
    assert "LaTeX Warning: Reference" not in log and "undefined" not in log
    return log


def fits(log):
    return [width for width in map(float, WIDER.findall(log)) if width > MARGIN]


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_worked_example_compiles(name, tmp_path):
    assert fits(compiled(EXAMPLES[name]().latex(document=True), tmp_path)) == []


def together(told):
    """Several bodies as one document."""
    told = list(told)
    first = told[0].latex(document=True)
    return first.replace(told[0].latex(), "\n".join(each.latex() for each in told))


def explained(model, layout="rows", loss="mse", y=None, **options):
    rng = np.random.default_rng(0)
    y = rng.standard_normal((5, 2)) if y is None else y
    return cr.explain(model, rng.standard_normal((5, 3)), y, loss, layout=layout, **options)


@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_every_kind_of_layer_compiles(layout, tmp_path):
    cr.seed(0)
    compiled(together(explained(make(), layout, lr=0.1) for make in LAYERS.values()), tmp_path)


def test_every_optimiser_compiles(tmp_path):
    compiled(together(explained(shallow(nn.ReLU()), optimizer=kind) for kind in OPTIMIZERS.values()), tmp_path)


def test_every_loss_compiles(tmp_path):
    rng = np.random.default_rng(1)
    heads = {"nll": nn.LogSoftmax, "kl": nn.LogSoftmax, "bce-probabilities": nn.Sigmoid}
    told = []
    for name in losses.LOSSES:
        y = TARGETS.get(name, lambda rng: rng.standard_normal((5, 2)))(rng)
        model = shallow(heads[name]()) if name in heads else shallow(nn.Tanh())
        model = nn.Sequential(shallow(nn.Tanh()), heads[name]()) if name in heads else model
        told.append(explained(model, loss=name, y=y))
    compiled(together(told), tmp_path)


class Nasty(nn.Module):
    """Names with every sign that TeX reads as a command, and operations that no layer owns."""

    def __init__(self):
        self.fc_1, self.fc_2 = nn.Linear(3, 4), nn.Linear(4, 2)
        self.my_scale = nn.Parameter(np.ones(2))

    def forward(self, x):
        return cr.log_softmax(self.fc_2(cr.relu(self.fc_1(x)))) * self.my_scale


def percent_of_x_squared(prediction, target):
    """A loss of one's own, without a formula."""
    return ((prediction - target) ** 2).mean()


NASTY = {
    "underscores": lambda: explained(Nasty(), loss=percent_of_x_squared, optimizer=optim.Adam),
    "a lambda": lambda: explained(Nasty(), loss=lambda p, t: ((p - t) ** 2).mean(), lr=0.1),
    "title": lambda: explained(shallow(), title=r"50 % of x_1 & #2 {braces} ~ ^ \ α → σ ✓ ŷ ½ „quoted“ – dash"),
    "notes": lambda: explained(shallow(), notes=[cr.glass.Note("loss", r"100 % of a_b & $x_1$ # \ ß é ≤ 3 ∇ 中 🙂")]),
    "large layers": lambda: cr.explain(
        nn.Sequential(fc1=nn.Linear(40, 30), act=nn.ReLU(), fc2=nn.Linear(30, 10)),
        np.random.default_rng(2).standard_normal((50, 40)), np.arange(50) % 10, "cross-entropy", optimizer=optim.Adam,
    ),
    "a kink": lambda: cr.explain(
        nn.Sequential(fc1=nn.Linear(2, 2, bias=False), act=nn.ReLU(), fc2=nn.Linear(2, 1)),
        np.zeros((1, 2)), np.ones((1, 1)), "mse", layout="columns",
    ),
    "tiny and huge": lambda: cr.explain(nn.Sequential(fc1=nn.Linear(2, 1)), [[1e-9, 1e12]], [[1e-30]], "mse", lr=1e-3),
    "a graph": lambda: explain_graph(lambda a_b, x1: cr.sin(a_b) / x1 + cr.exp(-x1) ** 2.5, 1e-7, -2.5),
}  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_nothing_breaks_a_document(name, tmp_path):
    compiled(NASTY[name]().latex(document=True), tmp_path)
