"""A column of Unix seconds goes the whole way of the command line: read, trained on, predicted from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from chainrule.cli import main

N = 200
FINE_ENOUGH = 0.9  # r2; in float32 there are three different values among 200 seconds, and r2 is below 0.8


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def printed(capsys):
    def called(*arguments):
        main(arguments)
        return capsys.readouterr().out

    return called


def write(path, names, *columns):
    rows = [",".join(map(repr, map(float, row))) for row in zip(*columns, strict=True)]
    Path(path).write_text("\n".join([",".join(names), *rows]) + "\n")


def test_seconds_as_feature(printed):
    seconds, noise = 1.7e9 + np.arange(N), np.random.default_rng(0).normal(0, 0.01, N)
    y = np.arange(N) / N + noise
    write("t.csv", ["t", "y"], seconds, y)
    result = json.loads(printed("train", "t.csv", "--target", "y", "--epochs", "60", "--out", "run", "--json"))
    assert result["test"]["r2"] > 0.97
    write("new.csv", ["t"], seconds)
    predicted = np.array([float(line) for line in printed("predict", "run", "new.csv").split()])
    assert len(np.unique(predicted)) > 0.9 * N
    assert np.var(y - predicted) < (1 - FINE_ENOUGH) * np.var(y)


def test_seconds_as_target(printed):
    x = np.arange(N) / N
    y = 1.7e9 + np.arange(N) / 2
    write("t.csv", ["x", "y"], x, y)
    result = json.loads(printed("train", "t.csv", "--target", "y", "--epochs", "60", "--out", "run", "--json"))
    assert result["test"]["r2"] > FINE_ENOUGH
    assert result["test"]["mae"] < 10
    predicted = np.array([float(line) for line in printed("predict", "run", "t.csv").split()])
    as_json = [json.loads(line)["prediction"] for line in printed("predict", "run", "t.csv", "--json").splitlines()]
    np.testing.assert_allclose(predicted, as_json, atol=0.01, rtol=0)
    assert np.var(y - predicted) < (1 - FINE_ENOUGH) * np.var(y)


def test_one_class_to_learn(capsys):
    Path("t.csv").write_text("a,y\n" + "".join(f"{i},yes\n" for i in range(30)))
    for model in ("mlp", "lda"):
        with pytest.raises(SystemExit):
            main(("train", "t.csv", "--target", "y", "--model", model, "--out", model))
        error = capsys.readouterr().err
        assert "The target has one class ('yes'): there is nothing to tell apart." in error
