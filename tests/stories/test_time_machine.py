"""A run that `chainrule train` has left: its end is found again, and two of them are told apart."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.files import read_arrays
from chainrule.cli.folder import CHECKPOINT, MODEL
from chainrule.cli.settings import Settings
from chainrule.cli.training import train

OPTIONS = {
    "plain": {},
    "everything": {
        "dropout": (0.2,), "batch_norm": True, "penalty": "l2", "lam": (1e-4,), "schedule": "cosine", "warmup": 0.1,
        "clip_norm": 1.0, "accumulate": 2, "scale": "standardize", "patience": 30,
    },
}  # fmt: skip


def trained(folder, task="iris", **options):
    folder.mkdir()
    train(Settings(task, epochs=4, hidden=(6,), lr=0.01, **options), folder, show=False)
    return folder


@pytest.mark.parametrize("options", OPTIONS)
def test_a_folder_leads_to_its_own_end(options, tmp_path):
    folder = trained(tmp_path / "run", **OPTIONS[options])
    arrays, _ = read_arrays(folder / CHECKPOINT)
    result = cr.at(folder, 5)
    assert (result.step, len(result.rows), len(result.history)) == (5, len(result.y), result.epoch)
    (folder / CHECKPOINT).unlink()  # from the beginning
    steps = 16 if options == "plain" else 8
    end = cr.at(folder, steps)
    assert end.batches == ()
    for name, array in end.model.state_dict().items():
        np.testing.assert_array_equal(array, arrays[f"model/{name}"])
    if options == "plain":
        saved, _ = read_arrays(folder / MODEL)
        np.testing.assert_array_equal(end.model.fc1.weight.numpy(), saved["model.fc1.weight"])


def test_two_folders(tmp_path):
    first, second = trained(tmp_path / "a"), trained(tmp_path / "b", batch_size=16)
    assert str(cr.compare(first, first)) == "The runs are the same for all 16 steps."
    parting = cr.compare(first, second)
    assert (parting.step, parting.first.name) == (0, "x")
    assert str(parting).split("\n")[-1] == "  setting batch size: 32 and 16"
