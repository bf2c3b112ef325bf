"""Runs that cannot be run again, steps that they do not have: the whole texts."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.cli.settings import Settings
from chainrule.glass import Rerun
from chainrule.train import Checkpoint

X = np.random.default_rng(0).standard_normal((20, 4)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)


def start(lr=0.1):
    cr.seed(0)
    model = cr.models.MLP(4, 3, 2)
    return {
        "model": model, "data": (X, Y), "optimizer": cr.optim.SGD(model, lr=lr), "epochs": 2, "batch_size": 10,
        "progress": False,
    }  # fmt: skip


MODEL = cr.models.MLP(4, 3, 2)
CASES = {
    "a step too far": (
        lambda: cr.at(Rerun(start), 5),
        "The run has 4 steps, so there is no step 5.\n  known   0 to 4, where 4 is the end",
    ),
    "a step before the start": (lambda: cr.at(Rerun(start), -1), "A step is a whole number from 0 on, got -1."),
    "half a step": (lambda: cr.at(Rerun(start), 1.5), "A step is a whole number from 0 on, got 1.5."),
    "a model": (
        lambda: cr.at(MODEL, 3),
        "A run is the folder of `chainrule train` or a Rerun, got MLP.\n  try     cr.glass.Rerun(start, checkpoints)",
    ),
    "a history": (
        lambda: cr.compare(Rerun(start), cr.train.History()),
        "A run is the folder of `chainrule train` or a Rerun, got History.\n"
        "  try     cr.glass.Rerun(start, checkpoints)",
    ),
    "no function": (
        lambda: Rerun({"model": MODEL}),
        "A Rerun takes a function that makes what fit was given, got a dict.\n"
        '  try     def start(): return {"model": cr.models.MLP(4, 8, 3), "data": data}',
    ),
    "no data": (
        lambda: cr.at(Rerun(lambda: {"model": MODEL}), 1),
        "start() gives the arguments of fit by name, the model and the data at least.\n"
        '  try     return {"model": model, "data": data, "loss": "mse", "epochs": 5}',
    ),
    "the same model twice": (
        lambda: cr.compare(Rerun(start), Rerun(lambda: start() | {"model": MODEL, "optimizer": "sgd"})),
        "start() gives the same model each time, trained by then.\n  try     make the model inside of it",
    ),
    "one moment": (
        lambda: Checkpoint("x", keep=1),
        "Checkpoint keeps the first and the newest moment, so keep=1 is too few.\n  try     keep=2",
    ),
    "a fraction of a moment": (
        lambda: Checkpoint("x", keep=2.5),
        "Checkpoint expects keep to be a whole number of at least 1, got 2.5.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_run_again(case):
    call, text = CASES[case]
    with pytest.raises(cr.OptionError) as caught:
        call()
    assert str(caught.value) == text


def test_checkpoints_of_another_run(tmp_path):
    path = tmp_path / "run.safetensors"
    cr.fit(**start(), callbacks=[Checkpoint(path, keep=3)])
    with pytest.raises(cr.CheckpointError) as caught:
        cr.at(Rerun(lambda: start(lr=0.2), path), 2)
    assert str(caught.value) == (
        "The checkpoint belongs to another run: learning rate was 0.1, it is 0.2 now.\n"
        f"  file    {tmp_path / 'run-2.safetensors'}\n"
        "  try     resume with the settings of the first run, or start a new one"
    )


def test_folders(tmp_path):
    with pytest.raises(cr.CheckpointError) as caught:
        cr.at(tmp_path, 3)
    assert str(caught.value) == (
        f"{tmp_path} is no run folder: it has no settings.json.\n"
        "  try     chainrule train TASK starts a run and prints its folder"
    )
    Settings("iris", seeds=3, seed=2).save(tmp_path)
    with pytest.raises(cr.OptionError) as caught:
        cr.compare(tmp_path, tmp_path)
    assert str(caught.value) == f"{tmp_path} holds the runs of 3 seeds.\n  try     one of them: {tmp_path / 'seed-2'}"
    Settings("iris", model="lda").save(tmp_path)
    with pytest.raises(cr.OptionError) as caught:
        cr.at(str(tmp_path), 3)
    assert str(caught.value) == f"{tmp_path} has no steps: linear discriminant analysis is solved at once."
