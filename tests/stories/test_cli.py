"""The command line does what it says: train, look, predict, explain."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

import chainrule as cr
from chainrule.cli import main, options
from chainrule.cli.choices import settings_for
from chainrule.cli.names import LOSSES_OF, WORDS, names_of
from chainrule.cli.recipes import RECIPES, TASKS
from chainrule.cli.saved import load_model
from chainrule.cli.settings import Settings

PNG = b"\x89PNG\r\n\x1a\n"
FLOAT32_STEPS = 1e-5  # relative: the scale of a target is multiplied into float32 weights
SHORT = ("--epochs", "3", "--out", "run")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def chainrule(capsys):
    """What a call prints; it succeeds."""

    def called(*arguments):
        main(arguments)
        return capsys.readouterr().out

    return called


@pytest.fixture
def as_json(chainrule):
    """The result of a call as JSON in the strict sense, which has no NaN."""

    def called(*arguments):
        def refuse(constant):
            raise AssertionError(f"{constant} is no JSON")

        return json.loads(chainrule(*arguments, "--json"), parse_constant=refuse)

    return called


def write_csv(path, names, *columns):
    rows = [",".join(names), *(",".join(map(str, row)) for row in zip(*columns, strict=True))]
    Path(path).write_text("\n".join(rows) + "\n")


def houses(n=80):
    """A table of two features and two targets: a price that is linear in them, and a kind."""
    random = np.random.default_rng(0)
    rooms, age = random.integers(1, 9, n), random.integers(0, 100, n)
    price = 100_000.0 + 40_000 * rooms - 500 * age
    kind = np.where(rooms > 4, "house", "flat")
    return rooms, age, price, kind


# --- train -------------------------------------------------------------------------------------------------


def test_a_run_folder(as_json):
    result = as_json("train", "digits", *SHORT)
    assert (result["data"], result["layers"], result["parameters"]) == ("digits", [64, 128, 10], 9610)
    assert (result["examples"], result["epochs"], result["stopped"]) == ([1258, 270, 269], 3, "finished")
    interval = result["intervals"]["accuracy"]
    assert interval["low"] < result["test"]["accuracy"] < interval["high"]
    assert result["folder"] == "run"
    assert sorted(path.name for path in Path("run").iterdir()) == [
        "checkpoint.safetensors",
        "confusion_matrix.png",
        "history.csv",
        "learning_curve.png",
        "model.safetensors",
        "result.json",
        "settings.json",
    ]
    for picture in Path("run").glob("*.png"):
        assert picture.read_bytes().startswith(PNG)


def test_the_table(chainrule):
    lines = chainrule("train", "iris", *SHORT).splitlines()
    assert lines[0] == "iris  mlp 4-16-3  seed 0"
    assert [line.split("  ")[1] for line in lines[2:11]] == [
        "examples", "parameters", "epochs", "validation loss", "validation accuracy", "test loss",
        "test accuracy", "test error", "time",
    ]  # fmt: skip
    assert lines[2] == "  examples             105 training, 23 validation, 22 test"
    assert lines[8].endswith("(95 % interval, Wilson)")


def test_several_seeds_are_one_line_of_files(chainrule, as_json):
    text = chainrule("train", "iris", "--seeds", "3", *SHORT)
    assert text.startswith("iris  mlp 4-16-3  seeds 0 to 2\n")
    assert "(95 % interval, Student)" in text
    assert (
        "  run/                  result.json  settings.json\n    seed-0/ to seed-2/  checkpoint.safetensors  " in text
    )
    result = as_json("train", "--resume", "run")
    each = [run["test"]["accuracy"] for run in result["runs"]]
    assert result["seeds"] == [0, 1, 2]
    assert result["test"]["accuracy"] == np.mean(each)
    low, high = (result["intervals"]["accuracy"][end] for end in ("low", "high"))
    assert (low, high) == cr.metrics.mean_interval(each, bounds=(0, 1))[1:3]


def test_a_seed_of_several_is_the_run_with_that_seed(as_json):
    several = as_json("train", "wine", "--seeds", "2", *SHORT)
    one = as_json("train", "wine", "--seed", "1", "--epochs", "3", "--out", "one")
    assert several["runs"][1]["test"] == one["test"]


def test_a_figure_that_is_not_finite_is_null(as_json, chainrule):
    call = ("train", "diabetes", "--optimizer", "sgd", "--lr", "1e18", "--batch-size", "310", "--epochs", "1")
    assert as_json(*call, "--out", "run")["test"]["loss"] is None
    assert "test loss        not finite" in chainrule("train", "--resume", "run")


@pytest.mark.parametrize(
    ("task", "model", "parameters"),
    [
        ("digits", "lda", 650),
        ("breast-cancer", "lda", 62),
        ("iris", "logistic", 15),
        ("diabetes", "linear", 11),
    ],
)
def test_models_without_hidden_layers(chainrule, as_json, task, model, parameters):
    result = as_json("train", task, "--model", model, *SHORT)
    assert (result["model"], result["parameters"]) == (model, parameters)
    assert ("validation" in result) == (result["examples"][1] > 0) == (model != "lda")
    assert chainrule("train", "--resume", "run").startswith(f"{task}  {model} ")
    assert "fc1" in chainrule("summary", "run")


def test_linear_discriminant_analysis_is_scikit_learns():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    main(("train", "breast-cancer", "--model", "lda", "--out", "run", "--json"))
    train, validation, test = cr.data.split(cr.data.breast_cancer(), seed=0)
    saved = load_model(Path("run"))
    x, y = np.concatenate([train.x, validation.x]), np.concatenate([train.y, validation.y])
    scaler = cr.data.Standardize().fit(train.x)
    theirs = LinearDiscriminantAnalysis().fit(scaler.transform(x), y)
    wanted = theirs.predict_proba(scaler.transform(test.x))
    np.testing.assert_allclose(
        cr.predict_proba(saved.model, saved.inputs(test.x)), wanted, atol=1e-4
    )  # float32 weights of collinear features


def test_the_run_folder_is_numbered(chainrule):
    for n in (1, 2):
        chainrule("train", "iris", "--epochs", "1")
        assert Path(f"runs/iris-{n}/result.json").exists()


def test_download_fetches_before_it_reads(monkeypatch):
    def fetch(folder):
        raise RuntimeError(f"fetching into {folder}")

    monkeypatch.setattr("chainrule.data.download_mnist", fetch)
    with pytest.raises(RuntimeError, match="fetching into here"):
        main(("train", "mnist", "--download", "here"))
    given = {"download": "here"}
    assert settings_for("mnist", given).data == str(Path("here").resolve())


def test_only_our_own_temporary_files_are_tidied_away(as_json):
    as_json("train", "iris", *SHORT)
    Path("run/result.json").unlink()
    ours = Path("run/.checkpoint.safetensors.0123abcd.tmp")
    below = Path("run/mine")
    below.mkdir()
    theirs = [
        Path("run/.notes.tmp"), Path("run/.notes.txt.0123abcd.tmp"), Path("run/.history.csv.tmp"),
        below / ".checkpoint.safetensors.0123abcd.tmp",
    ]  # fmt: skip
    for path in (ours, *theirs):
        path.write_text("")
    as_json("train", "--resume", "run")
    assert not ours.exists()
    assert all(path.exists() for path in theirs)


def test_two_runs_begun_at_once_have_two_folders(as_json):
    from chainrule.cli.folder import begun

    with begun(Settings("iris"), None) as first, begun(Settings("iris"), None) as second:
        assert (first, second) == (Path("runs/iris-1"), Path("runs/iris-2"))


def test_a_student_interval_of_accuracies_stays_below_one():
    low, high = cr.metrics.mean_interval([0.9, 1.0], bounds=(0, 1))[1:3]
    assert (0 < low < 0.9, high) == (True, 1.0)
    assert cr.metrics.mean_interval([0.9, 1.0]).high > 1


# --- tables ------------------------------------------------------------------------------------------------


def test_a_regression_from_a_csv_file(as_json, chainrule):
    rooms, age, price, _ = houses()
    write_csv("houses.csv", ["rooms", "age", "price"], rooms, age, price)
    result = as_json("train", "houses.csv", "--target", "price", "--out", "run")
    assert (result["data"], result["task"], result["target"]) == ("houses", "regression", "standardised")
    assert result["test"]["r2"] > 0.9
    assert "mae" in result["test"]
    assert Path("run/predictions.png").exists()
    write_csv("new.csv", ["age", "rooms"], age[:5], rooms[:5])
    values = [float(line) for line in chainrule("predict", "run", "new.csv").split()]
    saved = load_model(Path("run"))
    x = np.stack([rooms, age], axis=1)[:5]
    np.testing.assert_allclose(values, cr.predict(saved.model, saved.inputs(x)), rtol=FLOAT32_STEPS)
    np.testing.assert_allclose(values, price[:5], atol=0.4 * price.std())


def test_the_scale_of_the_target_is_in_the_saved_model(as_json):
    rooms, age, price, _ = houses()
    write_csv("houses.csv", ["rooms", "age", "price"], rooms, age, price)
    call = ("train", "houses.csv", "--target", "price", "--epochs", "40")
    result = as_json(*call, "--out", "run")
    saved = load_model(Path("run"))
    test = cr.data.split(cr.data.read_csv("houses.csv", "price", task="regression"), seed=0).test
    predicted = cr.predict(saved.model, saved.inputs(test.x))
    assert result["test"]["mae"] == pytest.approx(cr.metrics.mae(test.y, predicted), rel=FLOAT32_STEPS)
    assert result["test"]["r2"] == pytest.approx(cr.metrics.r2(test.y, predicted), rel=FLOAT32_STEPS)
    raw = as_json(*call, "--raw-target", "--out", "raw")
    assert (raw["target"], raw["test"]["r2"] < 0) == ("as it is", True)


def test_a_classification_from_a_csv_file(as_json, chainrule):
    rooms, age, _, kind = houses()
    write_csv("houses.csv", ["rooms", "age", "kind"], rooms, age, kind)
    assert as_json("train", "houses.csv", "--target", "kind", "--out", "run")["task"] == "classification"
    without_target = Path("new.csv")
    write_csv(without_target, ["rooms", "age"], rooms, age)
    labels = chainrule("predict", "run", "houses.csv").split()
    assert labels == chainrule("predict", "run", "new.csv").split()
    assert np.mean(np.array(labels) == kind) > 0.9
    saved = load_model(Path("run"))
    p = cr.predict_proba(saved.model, saved.inputs(np.stack([rooms, age], axis=1)))
    lines = [json.loads(line) for line in chainrule("predict", "run", "new.csv", "--proba", "--json").splitlines()]
    assert [line["prediction"] for line in lines] == labels
    assert [list(line["probabilities"].values()) for line in lines] == p.tolist()
    first = chainrule("predict", "run", "new.csv", "--proba").splitlines()[0]
    assert first == f"{labels[0]}\tflat={p[0, 0]:.4f}\thouse={p[0, 1]:.4f}"


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_kind_of_target_may_be_said(as_json, kind):
    rooms, age, *_ = houses(200)
    write_csv("houses.csv", ["rooms", "age"], rooms, age)
    assert as_json("train", "houses.csv", "--target", "rooms", "--kind", kind, *SHORT)["task"] == kind


def test_the_result_says_what_the_target_was_taken_for(chainrule):
    rooms, age, price, _ = houses()
    write_csv("houses.csv", ["rooms", "age", "price"], rooms, age, price)
    call = ("train", "houses.csv", "--target", "price", "--epochs", "1")
    assert "target           price, taken for values (--kind classification to change)\n" in chainrule(*call)
    assert "target           price, values\n" in chainrule(*call, "--kind", "regression")


def test_an_undefined_score_is_null_and_the_run_is_kept(as_json, chainrule):
    write_csv("small.csv", ["x", "y"], range(5), [0.5, 1.5, 2.25, 3.5, 4.75])
    result = as_json("train", "small.csv", "--target", "y", "--epochs", "2", "--out", "run")
    assert result["examples"][2] == 1
    assert result["test"]["r2"] is None
    assert result["test"]["mae"] is not None
    assert "test r2          undefined (the targets do not vary)\n" in chainrule("train", "--resume", "run")
    assert len(chainrule("predict", "run", "small.csv").split()) == 5


def test_a_rare_class_may_be_missing_in_a_part(as_json):
    rooms, age, _, kind = houses()
    kind = np.where(np.arange(len(kind)) < 2, "castle", kind)
    write_csv("houses.csv", ["rooms", "age", "kind"], rooms, age, kind)
    with pytest.raises(SystemExit):
        main(("train", "houses.csv", "--target", "kind", *SHORT))
    assert as_json("train", "houses.csv", "--target", "kind", "--no-stratify", *SHORT)["layers"][-1] == 3


def test_a_prediction_for_images(chainrule):
    main(("train", "digits", *SHORT, "--json"))
    chainrule("summary", "run")
    images = (np.round(cr.data.digits().x[:7] * 255)).astype(np.uint8)
    Path("images.idx").write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 7, 0, 0, 0, 8, 0, 0, 0, 8]) + images.tobytes())
    labels = chainrule("predict", "run", "images.idx").split()
    saved = load_model(Path("run"))
    assert labels == [str(k) for k in cr.predict(saved.model, images.astype(np.float32) / 255)]


# --- look --------------------------------------------------------------------------------------------------


def test_summary(chainrule):
    chainrule("train", "diabetes", *SHORT)
    text = chainrule("summary", "run")
    assert text.startswith("diabetes  mlp 10-32-1  seed 0\n\n  task      diabetes\n")
    assert "state     finished" in text
    assert "fc2    Linear(32 → 1)   (1, 1)           33" in text
    assert "test r2" in text
    assert "predictions.png" in text


def test_summary_of_an_unfinished_run(chainrule):
    chainrule("train", "iris", "--seeds", "2", *SHORT)
    for path in (Path("run/result.json"), *Path("run/seed-1").glob("[!hs]*")):
        path.unlink()
    text = chainrule("summary", "run")
    assert "  seed 0    finished\n  seed 1    stopped or at work, 3 of 3 epochs done\n" in text
    assert "  to go on  chainrule train --resume run" in text


def test_summary_as_json(as_json):
    result = as_json("train", "iris", *SHORT)
    found = as_json("summary", "run")
    assert found["settings"]["task"] == "iris"
    assert found["states"] == [{"seed": 0, "epochs": 3, "of": 3, "stopped": "finished"}]
    assert sum(layer["parameters"] for layer in found["layers"]) == result["parameters"]
    assert found["result"] == {k: v for k, v in result.items() if k != "folder"}


def test_explain_as_json(as_json):
    found = as_json("explain", "tiny-network")
    assert found["checked"] is True
    step = next(s for s in found["steps"] if s["name"] == "fc1.delta" and s["sample"] is None)
    example = cr.glass.EXAMPLES["tiny-network"]()
    assert step["value"] == example["fc1.delta"].tolist()
    assert (step["kind"], step["shape"], step["checked"]) == ("delta", [3, 4], True)
    assert step["rule"] == str(example.step("fc1.delta"))


@pytest.mark.parametrize("example", ["tiny-network", "one-neuron-chain"])
@pytest.mark.parametrize("form", ["text", "latex", "html"])
def test_explain(chainrule, example, form):
    text = chainrule("explain", example, "--format", form)
    assert text == chainrule("explain", example, "--format", form)
    assert len(text.splitlines()) > 20


def test_explain_in_another_layout(chainrule):
    assert chainrule("explain", "tiny-network", "--layout", "rows") != chainrule("explain", "tiny-network")


# --- help --------------------------------------------------------------------------------------------------


def test_every_option_is_a_setting_and_every_setting_an_option():
    given = {parameter.name for parameter in options.TRAIN}
    settings = {f.name for f in fields(Settings)}
    assert given - settings == {"download", "out", "resume", "as_json"}
    assert settings - given == {"split"}


def test_the_help_shows_a_call_a_line():
    from chainrule.cli.commands import chainrule

    text = CliRunner().invoke(chainrule, ["--help"], prog_name="chainrule").output
    lines = [line for line in text.splitlines() if line.startswith("  chainrule ")]
    commands = ["train", "train", "train", "predict", "summary", "explain", "diagnose"]
    assert [line.split()[1] for line in lines] == commands
    assert "..." not in text.partition("Commands:")[2]


def test_the_help_of_train_names_everything_there_is():
    from chainrule.cli.commands import train

    text = CliRunner().invoke(train, ["--help"], prog_name="train").output
    words = text.replace("\n", " ").split()
    plain = {word.strip(".,()") for word in words}
    joined = "".join(words)  # names may be broken at a hyphen
    for setting in WORDS:
        for name in names_of(setting):
            assert name in plain or name in joined
    for name in (*TASKS, *RECIPES):
        assert f"\n  {name}" in text
    for parameter in options.TRAIN:
        assert not isinstance(parameter, click.Option) or parameter.opts[0] in plain


@pytest.mark.parametrize("chosen", [*TASKS.values(), *RECIPES.values()], ids=[*TASKS, *RECIPES])
def test_tasks_and_recipes_are_settings_with_names_that_exist(chosen):
    settings = Settings("iris", **chosen)
    for setting in WORDS.keys() - {"task"}:
        name = getattr(settings, setting)
        assert name is None or name.replace("_", "-") in [n.replace("_", "-") for n in names_of(setting)]


def test_the_losses_of_a_task_are_losses_of_the_library():
    assert {name for names in LOSSES_OF.values() for name in names} <= cr.losses.LOSSES.keys()


@pytest.mark.parametrize("call", [["--help"], ["train", "--help"], ["--version"]], ids=" ".join)
def test_help_loads_nothing_heavy(call):
    script = (
        "import sys\nfrom chainrule.cli import main\n"
        f"try:\n    main({call})\nexcept SystemExit:\n    pass\nprint('loaded', *sys.modules)"
    )
    paths = str(Path(cr.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {paths!r})\n{script}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = run.stdout.rpartition("loaded ")[2].split()
    assert {"sklearn", "scipy", "matplotlib", "pandas", "torch", "jax"}.isdisjoint(loaded)
