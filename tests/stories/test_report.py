"""A report of a run: its sections, its numbers beside the run's own, its commands carried out, and in a browser."""

import csv
import json
import re
import shlex

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.cli import main
from chainrule.cli.folder import HISTORY, RESULT
from chainrule.cli.reporting import train_command
from chainrule.cli.settings import Settings
from chainrule.cli.training import train
from chainrule.glass.reporting.page import SECTIONS
from chainrule.glass.reporting.predictions import Predictions

TITLES = [
    "Verdicts", "Learning curves", "Mistakes", "Examples", "Health of the layers", "Data", "Model", "Resources",
    "Doing it again",
]  # fmt: skip


def pixels_file(path):
    """The embedded digits as a file like MNIST's: a label, and pixels from 0 to 255."""
    data = cr.data.digits()
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["label", *(f"pixel{i}" for i in range(64))])
        writer.writerows([y, *(x * 255).astype(int)] for x, y in zip(data.x[:500], data.y[:500], strict=True))
    return {"task": str(path), "target": "label", "scale": "standardize"}


RUNS = {
    "iris": lambda place: {"task": "iris", "scale": "standardize", "hidden": (8,)},
    "digits": lambda place: {"task": "digits", "hidden": (16,), "dropout": (0.2,), "schedule": "cosine"},
    "diabetes": lambda place: {
        "task": "diabetes",
        "scale": "standardize",
        "hidden": (8,),
        "patience": 3,
        "penalty": "half-l2",
        "lam": (1e-2,),
    },
    "pixels": lambda place: pixels_file(place / "pixels.csv") | {"hidden": (16,), "batch_norm": True},
}


@pytest.fixture(scope="module", params=RUNS)
def run(request, tmp_path_factory):
    """A finished run: its name, its folder, the page about it."""
    place = tmp_path_factory.mktemp(request.param)
    folder = place / "run"
    folder.mkdir()
    train(Settings(epochs=6, lr=0.01, seed=3, **RUNS[request.param](place)), folder, show=False)
    return request.param, folder, cr.report(folder)


def test_sections(run):
    _, _, page = run
    assert [module.TITLE for module in SECTIONS] == TITLES
    assert re.findall(r"<h2>(.*?)</h2>", page.html) == TITLES
    anchors = re.findall(r'<section id="(.*?)">', page.html)
    assert re.findall(r'<a href="#(.*?)">', page.html) == anchors


def test_numbers_are_those_of_the_run(run):
    name, folder, page = run
    result = json.loads((folder / RESULT).read_text())
    with open(folder / HISTORY, newline="") as lines:
        rows = list(csv.DictReader(lines))
    subject, html = page.subject, page.html
    assert [row["train_loss"] for row in subject.rows] == [float(row["train_loss"]) for row in rows]
    found = subject.predictions
    if subject.task == "classification":
        assert (found.truth == found.found).mean() == result["test"]["accuracy"]
        assert abs(found.losses.mean() - result["test"]["loss"]) < 1e-5
        right = int(np.trace(found.matrix))
        assert f"{right:,} of {result['examples'][2]:,} right" in html
        assert found.matrix.sum(axis=1).tolist() == np.bincount(found.truth, minlength=len(found.matrix)).tolist()
    else:
        mae, r2 = np.abs(found.found - found.truth).mean(), 1 - found.losses.mean() / found.truth.var()
        assert abs(mae - result["test"]["mae"]) < 1e-3 * mae
        assert abs(r2 - result["test"]["r2"]) < 1e-4
        assert f"mean absolute error {mae:.4g}" in html
    assert f"<b>{result['parameters']:,}</b>" in html
    assert f"{result['examples'][0]:,} training, {result['examples'][1]:,} validation" in html
    assert f"<b>{len(rows)}</b>" in html
    assert "to the same history and the same weights, to the last bit" in html
    assert ("data:image/png" in html) == (name in ("digits", "pixels"))


def test_health_is_that_of_the_steps(run):
    """Gradients and activations of a step, as the time machine finds them."""
    _, folder, page = run
    probe = next(p for p in page.subject.evidence.probes if p.step == 4)
    moment = cr.at(folder, 4)
    for name, gradient in moment.gradients().items():
        np.testing.assert_allclose(probe.parameters[name].gradient, np.linalg.norm(gradient), rtol=1e-4, atol=1e-7)
        change = cr.at(folder, 5).model.state_dict()[name] - moment.model.state_dict()[name]
        np.testing.assert_allclose(probe.parameters[name].update, np.linalg.norm(change), rtol=1e-4)
    with moment.stream():
        book = cr.ledger(moment.model, moment.x, moment.y, moment.run.loss)
    np.testing.assert_allclose(probe.layers["fc1"].output, book["fc1"].z[:256], rtol=1e-4, atol=1e-5)


def test_the_worst_come_first(run):
    _, _, page = run
    found: Predictions = page.subject.predictions
    order = found.order
    assert (np.diff(found.losses[order]) <= 0).all()
    section = page.html.partition('<section id="examples">')[2].partition("</section>")[0]
    if page.subject.pixels:
        shown = re.findall(r"row (\d+):", section)
    else:
        shown = re.findall(r'<tr><td class="n">(\d+)</td>', section)
    assert [int(row) for row in shown[:12]] == order[:12].tolist()
    assert [int(row) for row in shown[12:]] == order[::-1][:6].tolist()


def test_its_command_does_it_again(run, tmp_path, capsys):
    """Typed as the page says, in another place, it comes to the same result."""
    _, folder, page = run
    command = page.subject.commands.splitlines()[0]
    assert command == train_command(Settings.load(folder))
    words = shlex.split(command)
    assert words[:2] == ["chainrule", "train"]
    main([*words[1:], "--out", str(tmp_path / "again"), "--json"])
    capsys.readouterr()
    first, second = (json.loads((place / RESULT).read_text()) for place in (folder, tmp_path / "again"))
    assert {**first, "seconds": 0} == {**second, "seconds": 0}


def test_a_look_that_is_not_taken(run):
    _, folder, _ = run
    html = cr.report(folder, look=False).html
    assert "The run was not looked into, so there is no verdict." in html
    assert "No step of the run was looked into." in html


@pytest.mark.parametrize("width", [1000, 420])
def test_in_a_browser(run, width, browser, tmp_path):
    """No console errors, no network, nothing over anything else, nothing too wide."""
    _, _, page = run
    file = tmp_path / "report.html"
    page.save(file)
    assert browser.open(file, width=width).faults() == []


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["train", "iris", "--epochs", "2", "--out", "run", "--json"])
    capsys.readouterr()
    main(["report", "run"])
    assert capsys.readouterr().out.endswith("run/report.html\n")
    whole = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert whole == cr.report("run").html
    main(["report", "run", "-o", "other.html", "--no-replay"])
    assert (tmp_path / "other.html").read_text(encoding="utf-8") == cr.report("run", look=False).html


def test_a_model_that_was_solved_at_once(tmp_path):
    """Linear discriminant analysis has no steps: no curves, no verdict, no health; all else is told."""
    train(Settings("iris", model="lda"), tmp_path, show=False)
    html = cr.report(tmp_path).html
    assert "The run has no history: it was solved at once" in html
    assert "No step of the run was looked into." in html
    assert "none: solved at once" in html
    assert re.search(r"<b>\d+\.\d\xa0%</b><span>test accuracy", html)


def sick():
    """A softmax before a loss that has its own, on data of which all labels but a few are the same."""
    cr.seed(0)
    model = nn.Sequential(fc1=nn.Linear(4, 16), act1=nn.ReLU(), fc2=nn.Linear(16, 3), out=nn.Softmax())
    return {"model": model, "data": cr.data.iris(), "epochs": 20, "loss": "cross-entropy"}


def test_verdicts_are_shown(browser, tmp_path):
    page = cr.report(cr.glass.Rerun(sick), tmp_path / "sick.html")
    names = [verdict.name for verdict in page.subject.verdicts]
    assert "softmax applied twice" in names
    section = page.html.partition('<section id="verdicts">')[2].partition("</section>")[0]
    assert re.findall(r"<h3>(.*?)(?: \(|</h3>)", section) == names
    for verdict in page.subject.verdicts:
        assert section.count("<li>") >= len(verdict.evidence)
    assert browser.open(tmp_path / "sick.html").faults() == []


def breaking():
    cr.seed(0)
    model = cr.models.MLP(4, 8, 3)
    return {"model": model, "data": cr.data.iris(), "epochs": 40, "optimizer": cr.optim.SGD(model, lr=1e30)}


def test_a_run_that_broke_off():
    with np.errstate(all="ignore"):
        page = cr.report(cr.glass.Rerun(breaking))
    assert page.subject.verdicts
    assert "The run broke off. The loss became nan at step 1 (epoch 1, batch 2)." in page.html
    assert repr(page) == "<Page on iris, MLP, seed 0>"


def test_a_folder_of_a_run_that_broke_off(tmp_path):
    """Of the last weights that were sound, with the cause."""
    with pytest.raises(cr.NumericalError) as caught, np.errstate(all="ignore"):
        broken = Settings("diabetes", epochs=5, hidden=(8,), optimizer="sgd", lr=1e9, scale="standardize")
        train(broken, tmp_path, show=False)
    html = cr.report(tmp_path).html
    assert f"The run broke off. {caught.value.headline}" in html
    assert "learning rate blow-up" in html
    assert "chainrule train diabetes" in html
    assert "Its loss or its weights became NaN or infinite." in cr.report(tmp_path, look=False).html


def images():
    cr.seed(0)
    data = cr.data.digits().take(range(200))
    x = data.x.reshape(-1, 1, 8, 8)
    model = nn.Sequential(conv=nn.Conv2d(1, 4, 3), act=nn.ReLU(), flat=nn.Flatten(), fc=nn.Linear(144, 10))
    whole = cr.data.from_arrays(x, data.y, name="small digits")
    return {"model": model, "data": whole.take(range(150)), "validation": whole.take(range(150, 200)), "epochs": 3}


def test_a_network_of_ones_own_on_images():
    """A convolution on images with channels, validation data, no folder."""
    page = cr.report(cr.glass.Rerun(images))
    assert page.subject.pixels == (1, 8, 8)
    assert page.subject.judged == "validation"
    assert page.html.count("data:image/png") == 10 + 12 + 6
    assert "images of 1 × 8 × 8" in page.html
    assert "<iframe" in page._repr_html_()
