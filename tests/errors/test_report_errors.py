"""What a report says to a run that cannot be told of; every message whole."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.cli.folder import MODEL, RESULT
from chainrule.cli.settings import Settings
from chainrule.cli.training import train


def told(call, error):
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def table(path, rows, seed=0):
    numbers = np.random.default_rng(seed).standard_normal((rows, 3)).round(3)
    lines = ["a,b,price", *(",".join(map(str, row)) for row in numbers)]
    path.write_text("\n".join(lines) + "\n")


def test_no_such_folder(tmp_path):
    assert told(lambda: cr.report(tmp_path / "nothing"), cr.CheckpointError) == (
        f"{tmp_path / 'nothing'} is no run folder: it has no settings.json.\n"
        "  try     chainrule train TASK starts a run and prints its folder"
    )


def test_a_run_that_is_not_finished(tmp_path):
    train(Settings("iris", epochs=1, hidden=(4,)), tmp_path, show=False)
    (tmp_path / MODEL).unlink()
    (tmp_path / RESULT).unlink()
    assert told(lambda: cr.report(tmp_path), cr.CheckpointError) == (
        f"The run {tmp_path} is not finished: it has no model yet.\n  try     chainrule train --resume {tmp_path}"
    )


def test_runs_of_several_seeds(tmp_path):
    Settings("iris", seeds=2).save(tmp_path)
    assert told(lambda: cr.report(tmp_path), cr.OptionError) == (
        f"{tmp_path} holds the runs of 2 seeds.\n  try     one of them: {tmp_path / 'seed-0'}"
    )


def test_data_that_has_moved_or_changed(tmp_path):
    data, folder = tmp_path / "prices.csv", tmp_path / "run"
    table(data, 60)
    folder.mkdir()
    train(Settings(str(data), target="price", epochs=1, hidden=(4,), scale="standardize"), folder, show=False)
    cr.report(folder)
    table(data, 60, seed=1)
    text = told(lambda: cr.report(folder), cr.CheckpointError)
    assert text.startswith("The checkpoint belongs to another run: data was (42, 2) with targets (42, 1), checksum ")
    assert text.endswith(
        f"  file    {folder / 'checkpoint.safetensors'}\n"
        "  try     resume with the settings of the first run, or start a new one"
    )
    data.unlink()
    assert told(lambda: cr.report(folder), cr.DataError) == (
        "prices.csv could not be read.\n"
        f"  run     {folder}\n"
        f"  file    {data}\n"
        "  cause   No such file or directory\n"
        "  try     put it back as it was: a report needs the data of the run"
    )


def test_no_run():
    assert told(lambda: cr.report(3), cr.OptionError) == (
        "A run is the folder of `chainrule train` or a Rerun, got int.\n  try     cr.glass.Rerun(start, checkpoints)"
    )


@pytest.mark.parametrize(("name", "ending"), [("page.pdf", ".pdf"), ("page", "a file without ending")])
def test_another_kind_of_file(name, ending):
    fix = name.partition(".")[0] + ".html"
    assert told(lambda: cr.report("nothing", name), cr.OptionError) == (
        f"A report is saved as HTML, not as {ending}.\n  path    {name}\n  try     {fix}"
    )
