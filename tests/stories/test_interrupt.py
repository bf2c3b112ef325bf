"""Ctrl-C in the middle of fit: the step is finished, the run saved, and nothing is lost by resuming."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chainrule.base.files import read_arrays

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import sys
import numpy as np
import chainrule as cr
from chainrule.base.files import write_arrays
from chainrule.train import Callback, Checkpoint, EarlyStopping

checkpoint, weights, wait, resume = sys.argv[1:]

class Announce(Callback):
    def on_step(self, run):
        if run.step == 17:
            print("step 17", flush=True)
            if wait == "wait":
                sys.stdin.readline()  # the signal arrives here, within the step

rng = np.random.default_rng(0)
x, y = rng.standard_normal((60, 5)).astype("f"), rng.integers(0, 3, 60)
cr.seed(7)
model = cr.models.MLP(5, 8, 3, dropout=0.3, batch_norm=True)
callbacks = [Announce(), EarlyStopping(patience=30), Checkpoint(checkpoint)]
history = cr.fit(
    model, (x, y), optimizer=cr.optim.Adam(model, lr=0.01), epochs=6, batch_size=10, validation=(x, y),
    callbacks=callbacks, progress=False, resume=checkpoint if resume == "resume" else None,
)
write_arrays(weights, model.state_dict())
print(history.stopped, history["step"], [round(v, 7) for v in history["train_loss"]])
"""


def started(*arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, text=True, **pipes)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a single process")
def test_ctrl_c_and_resume(tmp_path):
    checkpoint, weights = tmp_path / "run.safetensors", tmp_path / "weights.safetensors"
    running = started(checkpoint, weights, "wait", "new")
    assert running.stdout.readline() == "step 17\n"
    running.send_signal(signal.SIGINT)
    out, err = running.communicate("go on\n")
    assert (running.returncode, err) == (0, "")
    assert out.startswith("interrupted [6, 12] ")  # steps 13 to 17 are of the third epoch

    resumed, _ = started(checkpoint, weights, "go", "resume").communicate()
    other, reference = tmp_path / "other.safetensors", tmp_path / "whole.safetensors"
    whole, _ = started(other, reference, "go", "new").communicate()
    assert resumed.splitlines()[-1].startswith("finished [6, 12, 18, 24, 30, 36] ")
    assert resumed.splitlines()[-1] == whole.splitlines()[-1]
    assert "step 17" not in resumed  # it had been done
    arrays, expected = read_arrays(weights)[0], read_arrays(reference)[0]
    assert arrays.keys() == expected.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)
