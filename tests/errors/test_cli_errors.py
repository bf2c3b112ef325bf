"""What a person reads who calls `chainrule` wrongly, or whose run goes wrong: text and status."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.cli import main

FOLDER = "run"
USAGE = "Usage: chainrule train [OPTIONS] [TASK]\nTry 'chainrule train --help' for help.\n\n"
ERROR, WRONG_CALL, CTRL_C = 1, 2, 130
QUICK = ("train", "iris", "--epochs", "2", "--out", FOLDER, "--json")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def complaint(capsys):
    """What a call prints to stderr; it ends with an error, and prints no result (with --json, the same again)."""

    def called(*arguments, status=ERROR):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        shown = capsys.readouterr()
        assert caught.value.code == status
        if "--json" not in arguments:
            assert shown.out == ""
        elif status == CTRL_C:
            assert json.loads(shown.out) == {"stopped": "interrupted", "folder": FOLDER}
        else:
            assert json.loads(shown.out) == {"error": shown.err.partition(": ")[2].removesuffix("\n")}
        return shown.err

    return called


@pytest.fixture
def run(capsys):
    """A finished run."""
    main(QUICK)
    capsys.readouterr()
    return FOLDER


SCHEDULES = "constant, step, exponential, inverse-time, polynomial, cosine, warm-restarts, warmup, one-cycle, sweep"
ACTIVATIONS = (
    "identity, step, step_strict, sign, sigmoid, tanh, relu, leaky_relu, prelu, elu, selu, gelu, gelu_tanh, "
    "silu, softplus, log_sigmoid, softmax, log_softmax"
)
OPTIMIZERS = "sgd, averaged-momentum, velocity-momentum, normalized-gd, adagrad, rmsprop, adam, adamw"
TASKS = "digits, iris, wine, breast-cancer, diabetes, mnist"

EXAMPLES = "tiny-network, demonstrations, expression-graph, xor, backpropagation, one-neuron-chain, dropout"

CALLS = {
    "train": "OptionError: What shall be trained?\n  try     chainrule train digits\n",
    "train digts": (
        f"OptionError: There is no task 'digts'.\n  known   {TASKS}\n"
        "  or      the path of a CSV file\n  try     did you mean 'digits'?\n"
    ),
    "train houses": (f"OptionError: There is no task 'houses'.\n  known   {TASKS}\n  or      the path of a CSV file\n"),
    "train mnist --recipe lecture-rigde": (
        "OptionError: There is no recipe 'lecture-rigde'.\n"
        "  known   lecture-ridge, lecture-dropout, lecture-logistic, lecture-lda\n"
        "  try     did you mean 'lecture-ridge'?\n"
    ),
    "train iris --model svm": "OptionError: There is no model 'svm'.\n  known   mlp, logistic, linear, lda\n",
    "train iris --optimizer adma": (
        f"OptionError: There is no optimiser 'adma'.\n  known   {OPTIMIZERS}\n  try     did you mean 'adam'?\n"
    ),
    "train iris --schedule cosin": (
        f"OptionError: There is no schedule 'cosin'.\n  known   {SCHEDULES}\n  try     did you mean 'cosine'?\n"
    ),
    "train iris --activation rleu": (
        f"OptionError: There is no activation 'rleu'.\n  known   {ACTIVATIONS}\n  try     did you mean 'relu'?\n"
    ),
    "train iris --penalty l3 --lam 1": (
        "OptionError: There is no penalty 'l3'.\n  known   l1, l2, half-l2, elastic-net\n"
    ),
    "train iris --scale standardise": (
        "OptionError: There is no scaler 'standardise'.\n  known   none, standardize, minmax\n"
        "  try     did you mean 'standardize'?\n"
    ),
    "train iris --loss ms": (
        "OptionError: There is no loss 'ms'.\n  known   cross-entropy, mse, half-squared, sse, mae, huber\n"
        "  try     did you mean 'mse'?\n"
    ),
    "train iris --loss mse": (
        "OptionError: The loss mse does not fit: the targets of iris are classes.\n  known   cross-entropy\n"
    ),
    "train diabetes --model lda": (
        "OptionError: The model lda is for classes, the targets of diabetes are values.\n  try     --model linear\n"
    ),
    "train iris --hidden 64,big": ("OptionError: --hidden takes whole numbers separated by commas, got '64,big'.\n"),
    "train iris --hidden 2.5": "OptionError: --hidden takes whole numbers separated by commas, got '2.5'.\n",
    "train iris --dropout half": "OptionError: --dropout takes numbers separated by commas, got 'half'.\n",
    "train iris --model logistic --hidden 8": (
        "OptionError: --hidden is for hidden layers, the model logistic has none.\n"
    ),
    "train iris --penalty l2": "OptionError: How strong is the penalty l2?\n  try     --lam 1e-4\n",
    "train iris --lam 0.1": (
        "OptionError: --lam is the strength of a penalty, and there is none.\n  try     --penalty half-l2\n"
    ),
    "train iris --penalty elastic-net --lam 0.1": (
        "OptionError: The penalty elastic-net takes 2 of --lam, got 1.\n  try     --lam 1e-5,1e-4\n"
    ),
    "train iris --momentum 0.9": "OptionError: The optimiser adam does not take --momentum.\n",
    "train iris --target species": "OptionError: --target is for CSV files, iris does not read it.\n",
    "train iris --data folder": "OptionError: --data is for the task mnist, iris does not read it.\n",
    "train houses.csv": "OptionError: Which column of houses.csv is the target?\n  try     --target COLUMN\n",
    "train mnist": (
        "DataError: MNIST is read from files.\n"
        "  try     --data DIR, the folder with train-images-idx3-ubyte.gz and its three companions, "
        "or --download DIR\n"
    ),
    "train .": (
        "OptionError: . is a folder, a table is one CSV file.\n  try     chainrule train FILE.csv --target COLUMN\n"
    ),
    "train iris --hidden 0": "OptionError: --hidden is a whole number of at least 1, got 0.\n",
    "train iris --hidden 8,-3": "OptionError: --hidden is a whole number of at least 1, got -3.\n",
    "train iris --clip-norm -1": "OptionError: --clip-norm is a positive number, got -1.0.\n",
    "train iris --lr nan": "OptionError: --lr is a positive number, got nan.\n",
    "train iris --weight-decay -1": "OptionError: --weight-decay is zero or a positive number, got -1.0.\n",
    "train iris --penalty l2 --lam -1": "OptionError: --lam is zero or a positive number, got -1.0.\n",
    "train iris --optimizer sgd --momentum 2": "OptionError: --momentum is at least 0 and below 1, got 2.0.\n",
    "train iris --optimizer sgd --nesterov": (
        "OptionError: --nesterov is a form of momentum, and there is none.\n  try     --momentum 0.9\n"
    ),
    "train iris --dropout 1.5": ("OptionError: --dropout is between 0 and 1, got 1.5.\n  try     --dropout 0.015\n"),
    "train iris --dropout 0.1,0.2": (
        "OptionError: --dropout takes one for all hidden layers or one for each (1), got 2.\n  try     --dropout 0.1\n"
    ),
    "explain tiny-netwrok": (
        "OptionError: There is no example 'tiny-netwrok'.\n"
        f"  known   {EXAMPLES}\n"
        "  try     did you mean 'tiny-network'?\n"
    ),
    "explain dropout --layout rows": (
        "OptionError: dropout has no samples that could stand in rows.\n  try     leave --layout out\n"
    ),
    "explain": f"OptionError: Which example?\n  known   {EXAMPLES}\n",
}


@pytest.mark.parametrize(("call", "text"), CALLS.items(), ids=CALLS)
def test_a_wrong_call_leaves_nothing_behind(complaint, tmp_path, call, text):
    assert complaint(*call.split()) == text
    assert list(tmp_path.iterdir()) == []


WRONG_OPTIONS = {
    "--activatoin relu": "Error: No such option '--activatoin'. Did you mean '--activation'?\n",
    "--epochs 0": "Error: Invalid value for '--epochs': it is at least 1, got 0.\n",
    "--epochs many": "Error: Invalid value for '--epochs': 'many' is not a valid integer.\n",
    "--warmup 2": "Error: Invalid value for '--warmup': 2.0 is not in the range 0<=x<1.\n",
}


@pytest.mark.parametrize(("options", "text"), WRONG_OPTIONS.items(), ids=WRONG_OPTIONS)
def test_an_option_that_does_not_exist_or_takes_something_else(complaint, options, text):
    assert complaint("train", "iris", *options.split(), status=WRONG_CALL) == USAGE + text


def test_a_command_that_does_not_exist(complaint):
    assert complaint("trian", status=WRONG_CALL).startswith("Usage: chainrule [OPTIONS] COMMAND [ARGS]...\n")


# --- data --------------------------------------------------------------------------------------------------


def test_a_csv_file_that_is_not_there(complaint, tmp_path):
    assert complaint("train", "houses.csv", "--target", "price") == (
        f"DataError: houses.csv could not be read.\n  file    {tmp_path / 'houses.csv'}\n"
        "  cause   No such file or directory\n  try     check the path\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_csv_file_without_the_target(complaint, tmp_path):
    path = tmp_path / "houses.csv"
    path.write_text("rooms,price\n3,100\n4,120\n")
    assert complaint("train", "houses.csv", "--target", "prize") == (
        f"DataError: There is no column 'prize'.\n  file    {path}\n  columns rooms, price\n"
        "  try     did you mean 'price'?\n"
    )


def test_a_csv_file_with_text_in_a_column_of_numbers(complaint, tmp_path):
    path = tmp_path / "houses.csv"
    path.write_text("rooms,price\n3,100\nfour,120\n")
    assert complaint("train", "houses.csv", "--target", "price") == (
        f"DataError: Column 'rooms' needs finite numbers, got 'four'.\n  file    {path}\n  where   line 3\n"
        "  try     correct it, or delete the line\n"
    )


def test_a_prediction_for_other_columns(complaint, run, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("sepal length (cm),sepal width (cm),petal length (cm),colour\n1,2,3,4\n")
    assert complaint("predict", run, "new.csv") == (
        "DataError: The columns are not those of the training data.\n  file    new.csv\n"
        "  missing petal width (cm)\n  extra   colour\n"
        "  try     give the columns of the training file, with the same names\n"
    )


def test_a_prediction_for_many_other_columns_names_a_few(complaint, capsys, tmp_path):
    main(("train", "digits", "--epochs", "1", "--out", FOLDER, "--json"))
    capsys.readouterr()
    (tmp_path / "new.csv").write_text("colour\n4\n")
    assert complaint("predict", FOLDER, "new.csv") == (
        "DataError: The columns are not those of the training data.\n  file    new.csv\n"
        f"  missing {', '.join(cr.data.digits().feature_names[:5])} and 59 more\n  extra   colour\n"
        "  try     give the columns of the training file, with the same names\n"
    )


def test_a_target_of_one_class(complaint, tmp_path):
    (tmp_path / "one.csv").write_text("x,bought\n" + "".join(f"{i},yes\n" for i in range(20)))
    assert complaint("train", "one.csv", "--target", "bought", "--out", FOLDER) == (
        "DataError: The target has one class ('yes'): there is nothing to tell apart.\n"
        "  try     check the target column, or the condition that selected the rows\n"
    )
    assert not (tmp_path / FOLDER).exists()


def test_a_prediction_for_images_of_another_size(complaint, run, tmp_path):
    (tmp_path / "f.idx").write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes(6))
    assert complaint("predict", run, "f.idx") == (
        "ShapeError: f.idx has 6 pixels an image, the model takes 4 numbers.\n"
    )


def test_a_prediction_for_a_file_that_is_not_there(complaint, run):
    assert complaint("predict", run, "new.csv") == "DataError: There is no file new.csv.\n"


def test_probabilities_of_values(complaint, capsys, tmp_path):
    main(("train", "diabetes", "--epochs", "1", "--out", FOLDER, "--json"))
    capsys.readouterr()
    assert complaint("predict", FOLDER, "new.csv", "--proba") == (
        "OptionError: The model of run predicts values: there are no probabilities of classes.\n"
    )


# --- run folders -------------------------------------------------------------------------------------------


def test_a_folder_that_holds_a_run(complaint, run):
    assert complaint(*QUICK) == (
        "OptionError: run holds a run already.\n  try     chainrule train --resume run, or another --out\n"
    )


@pytest.mark.parametrize("command", [("train", "--resume"), ("summary",)], ids=" ".join)
def test_a_folder_that_holds_none(complaint, command):
    assert complaint(*command, "nothing") == (
        "CheckpointError: nothing is no run folder: it has no settings.json.\n"
        "  try     chainrule train TASK starts a run and prints its folder\n"
    )


def test_a_resumed_run_with_other_settings(complaint, run):
    call = ("train", "wine", "--resume", run, "--epochs", "3", "--hidden", "16", "--out", "other")
    assert complaint(*call) == (
        "OptionError: A resumed run keeps its settings.\n"
        "  --epochs 3; the run has 2\n"
        "  TASK    wine; the run has iris\n"
        "  --out   other; the run has run\n"
        "  try     chainrule train --resume run, or start a new run\n"
    )


def test_a_prediction_before_the_run_is_finished(complaint, run, tmp_path):
    (tmp_path / run / "model.safetensors").unlink()
    assert complaint("predict", run, "new.csv") == (
        "CheckpointError: The run run is not finished: it has no model yet.\n  try     chainrule train --resume run\n"
    )


def files_below(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_failed_start_takes_back_only_what_it_made(complaint, tmp_path):
    other = tmp_path / "all" / "run-a"
    other.mkdir(parents=True)
    (other / "settings.json").write_text('{"task": "digits"}')
    (tmp_path / "all" / "seed-0").mkdir()
    (tmp_path / "all" / "seed-7").mkdir()
    before = files_below(tmp_path)
    for more in ((), ("--seeds", "2")):
        text = complaint("train", "nofile.csv", "--target", "y", "--out", "all", *more)
        assert text.startswith("DataError: nofile.csv could not be read.\n")
        assert files_below(tmp_path) == before
        assert (tmp_path / "all" / "seed-7").is_dir()


@pytest.mark.parametrize(("name", "more"), [("history.csv", ()), ("seed-1/model.safetensors", ("--seeds", "2"))])
def test_a_new_run_writes_over_no_file(complaint, tmp_path, name, more):
    path = tmp_path / FOLDER / name
    path.parent.mkdir(parents=True)
    path.write_text("my own")
    assert complaint(*QUICK, *more) == (
        "OptionError: run holds files with the names of those that a run writes.\n"
        f"  first   {name}\n  try     another --out\n"
    )
    assert files_below(tmp_path) == {path.relative_to(tmp_path): b"my own"}


def test_a_run_that_another_process_trains(complaint, run, tmp_path):
    (tmp_path / run / "result.json").unlink()
    script = (
        "import pathlib\nfrom chainrule.cli.lock import held\n"
        f"with held(pathlib.Path({run!r})):\n    print('held', flush=True)\n    input()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(Path(cr.__file__).parents[1])},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert other.stdout.readline() == "held\n"
        text = (
            f"OptionError: run is being trained by process {other.pid}.\n  try     wait until it is done, or stop it\n"
        )
        assert complaint("train", "--resume", run) == text
        assert complaint(*QUICK) == text
        other.kill()
        other.wait()
        assert (tmp_path / run / ".chainrule.lock").exists()
        main(("train", "--resume", run, "--json"))
        assert not (tmp_path / run / ".chainrule.lock").exists()
    finally:
        other.kill()
        other.communicate()


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])
    return path.stat().st_size


def test_a_corrupted_checkpoint(complaint, run, tmp_path):
    (tmp_path / run / "result.json").unlink()
    size = cut(tmp_path / run / "checkpoint.safetensors")
    assert complaint("train", "--resume", run) == (
        "CheckpointError: checkpoint.safetensors could not be read.\n"
        "  file    run/checkpoint.safetensors\n"
        f"  cause   it is {size} bytes long, but its header announces {size + 1}\n"
        "  try     delete it: the run then starts from its beginning, and ends the same\n"
    )


def test_a_corrupted_model(complaint, run, tmp_path):
    size = cut(tmp_path / run / "model.safetensors")
    assert complaint("predict", run, "new.csv") == (
        "CheckpointError: model.safetensors could not be read.\n"
        "  file    run/model.safetensors\n"
        f"  cause   it is {size} bytes long, but its header announces {size + 1}\n"
        "  try     delete it and result.json beside it: chainrule train --resume run makes both again\n"
    )


def test_corrupted_settings(complaint, run, tmp_path):
    path = tmp_path / run / "settings.json"
    path.write_text('{"task": "iris",')
    assert complaint("train", "--resume", run) == (
        "CheckpointError: settings.json could not be read.\n"
        "  file    run/settings.json\n"
        "  cause   line 1, column 17: Expecting property name enclosed in double quotes\n"
        "  try     restore the file from a copy, or delete it and run again\n"
    )
    path.write_text("[]")
    assert complaint("train", "--resume", run) == (
        "CheckpointError: run/settings.json does not hold the settings of a run.\n"
    )


# --- while training ----------------------------------------------------------------------------------------


def test_a_disk_that_is_full_from_the_start(complaint, monkeypatch, tmp_path):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert complaint(*QUICK) == (
        "CheckpointError: settings.json could not be written.\n  file    run/settings.json\n"
        "  cause   No space left on device\n"
        "  try     free some space on this disk, or save to another one\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_keeps_the_checkpoint_and_the_run_goes_on_later(complaint, capsys, monkeypatch, tmp_path):
    from chainrule.train import Checkpoint

    save, room = Checkpoint._save, iter(range(3))

    def filling(self, run):
        if next(room, None) is None:
            monkeypatch.setattr(os, "fsync", full)
        save(self, run)

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(Checkpoint, "_save", filling)
        fsync = os.fsync
        assert complaint("train", "iris", "--epochs", "5", "--out", FOLDER, "--json") == (
            "CheckpointError: checkpoint.safetensors could not be written.\n"
            "  file    run/checkpoint.safetensors\n"
            "  cause   No space left on device\n"
            "  kept    the old file is as it was\n"
            "  try     free some space on this disk, or save to another one\n"
        )
    monkeypatch.setattr(os, "fsync", fsync)
    main(("train", "--resume", FOLDER, "--json"))
    assert json.loads(capsys.readouterr().out)["epochs"] == 5


def test_a_loss_that_becomes_nan_keeps_good_weights(complaint, tmp_path):
    text = complaint("train", "iris", "--optimizer", "sgd", "--lr", "1e6", "--out", FOLDER, "--json")
    assert text == (
        "NumericalError: The loss became nan at step 4 (epoch 1, batch 5).\n"
        "  kept    the weights of step 0, the last ones known to be good\n"
        "  try     a smaller --lr than 1e+06, or --clip-norm 1\n"
        "  saved   run/last-good.safetensors\n"
    )
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == [
        "last-good.safetensors",
        "settings.json",
    ]


def test_batches_that_batch_norm_cannot_train_on(complaint, tmp_path):
    assert complaint("train", "iris", "--batch-norm", "--batch-size", "8", "--out", FOLDER) == (
        "OptionError: BatchNorm1d cannot train on a batch of one: 105 examples in batches of 8 end with one.\n"
        "  try     --batch-size 9\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_before_the_first_step_says_how_to_go_on(complaint, monkeypatch, tmp_path):
    def interrupted(settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("chainrule.cli.tasks.load", interrupted)
    assert complaint(*QUICK, status=CTRL_C) == "Stopped. To continue: chainrule train --resume run\n"
    assert (tmp_path / FOLDER / "settings.json").exists()


def test_dropout_probabilities_that_are_not_one_a_layer():
    with pytest.raises(cr.base.errors.OptionError) as caught:
        cr.models.MLP(4, 8, 3, dropout=[0.1, 0.2])
    assert str(caught.value) == "There is 1 hidden layer, but 2 dropout probabilities."
