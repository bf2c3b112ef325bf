"""A run that `chainrule train` has left: its end is found again, and two of them are told apart."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.files import read_arrays
from chainrule.cli.folder import CHECKPOINT, LEFTOVER, MODEL, check_free, moments
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


def test_a_folder_keeps_moments(tmp_path):
    folder = trained(tmp_path / "run", keep_checkpoints=3, checkpoint_every=3)
    (folder / CHECKPOINT).unlink()
    first, last, middle = moments(folder)
    assert (first.name, last.name) == ("checkpoint-0.safetensors", "checkpoint-16.safetensors")
    assert middle.name in ("checkpoint-6.safetensors", "checkpoint-8.safetensors", "checkpoint-9.safetensors")
    whole = cr.at(trained(tmp_path / "other"), 11)
    for name, array in cr.at(folder, 11).model.state_dict().items():
        np.testing.assert_array_equal(array, whole.model.state_dict()[name])


def test_kept_moments_are_not_written_over(tmp_path):
    (tmp_path / "checkpoint-7.safetensors").write_bytes(b"mine")
    with pytest.raises(cr.OptionError) as caught:
        check_free(Settings("iris"), tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} holds files with the names of those that a run writes.\n"
        "  first   checkpoint-7.safetensors\n"
        "  try     another --out"
    )
    assert LEFTOVER.fullmatch(".checkpoint-7.safetensors.0123abcd.tmp")


def test_two_folders(tmp_path):
    first, second = trained(tmp_path / "a"), trained(tmp_path / "b", batch_size=16)
    assert str(cr.compare(first, first)) == "The runs are the same for all 16 steps."
    parting = cr.compare(first, second)
    assert (parting.step, parting.first.name) == (0, "x")
    assert str(parting).split("\n")[-1] == "  setting batch size: 32 and 16"
