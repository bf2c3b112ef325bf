"""A walk through a step: as an API, with conditions, in a terminal by keys and from a pipe by lines."""

import fcntl
import io
import os
import pty
import re
import select
import subprocess
import sys
import termios

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.cli.settings import Settings
from chainrule.cli.training import train


class Block(nn.Module):
    """x + tanh(norm(fc(x))): a value used twice, a layer inside a layer, an operation of its own."""

    def __init__(self):
        self.fc, self.norm = nn.Linear(4, 4), nn.LayerNorm(4)

    def forward(self, x):
        return x + cr.tanh(self.norm(self.fc(x)))


def walk(optimizer=True):
    cr.seed(0)
    model = nn.Sequential(fc1=nn.Linear(3, 4), block3=Block(), fc2=nn.Linear(4, 2))
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    y = np.array([0, 1, 1, 0, 1])
    return cr.stepper(model, x, y, "cross-entropy", cr.optim.Adam(model, lr=0.01) if optimizer else None)


def test_over_layers_and_into_them():
    w = walk()
    assert (w.here, w.position, len(w)) == (None, 0, 32)
    assert repr(w) == "<Stepper at 0 of 32 operations>"
    assert [w.next().path for _ in range(4)] == ["fc1", "block3", "fc2", "loss"]
    assert [(w.next().phase, w.here.path) for _ in range(4)] == [
        ("backward", "loss"), ("backward", "fc2"), ("backward", "block3"), ("backward", "fc1"),
    ]  # fmt: skip
    assert [w.next().path for _ in range(3)] == ["fc1", "block3", "fc2"]
    assert w.done and w.next() is w.here
    w.restart()
    w.next(), w.next()
    assert (w.here.name, w.here.first, w.here.position, w.here.layer) == ("Block", 1, 9, "Block")
    assert list(w.here.operands)[:2] == ["fc1.z", "block3.fc.weight"]
    assert list(w.here.results) == ["block3.a"]
    inside = [w.into().path, *(w.next().path for _ in range(3))]
    assert inside == ["block3.fc", "block3.norm", "block3", "block3"]
    assert [w.here.name, w.here.formula] == ["add", "y = a + b"]
    assert w.next().path == "fc2"
    assert [w.back().path for _ in range(2)] == ["block3", "fc1"]
    w.next(), w.into(), w.next(), w.into()
    assert (w.here.path, w.here.name, w.here.depth) == ("block3.norm", "standardise", 2)
    assert (w.out().layer, w.here.depth) == ("LayerNorm(4)", 1)
    assert (w.out().layer, w.here.depth) == ("Block", 0)
    assert (w.out().phase, w.here.path) == ("forward", "loss")
    assert w.back().path == "fc2"
    w.restart()
    assert w.back() is None


def test_shares_arrive_one_by_one():
    """fc1.z is used by the shortcut and by fc: ∂L/∂fc1.z is complete with the second share only."""
    w = walk()
    stops = [stop for stop in w if "fc1.z" in stop.shares]
    assert [(s.name, s.shares["fc1.z"].arrived, s.shares["fc1.z"].of) for s in stops] == [
        ("add", 1, 2),
        ("affine", 2, 2),
    ]
    first, second = (s.shares["fc1.z"] for s in stops)
    assert (first.complete, second.complete) == (False, True)
    np.testing.assert_array_equal(second.total, first.array + second.array)
    handed_on = w.run_until("phase backward and layer fc1")
    np.testing.assert_array_equal(handed_on.cotangent, second.total)
    assert handed_on.latex[1] == r"\bar w = \bar y^\top x"


def test_numbers_by_hand():
    """1-1-1 with a sigmoid, half the squared error, rate 0.1: 004 §2.4.4, Example 9."""
    model = nn.Sequential(fc1=nn.Linear(1, 1), act1=nn.Sigmoid(), fc2=nn.Linear(1, 1)).astype(np.float64)
    numbers = {"fc1.weight": [[0.4]], "fc1.bias": [0.3], "fc2.weight": [[0.5]], "fc2.bias": [0.1]}
    model.load_state_dict({name: np.array(value) for name, value in numbers.items()})
    w = cr.stepper(model, [[1.0]], [[0.5]], "half-squared", cr.optim.SGD(model, lr=0.1))
    assert w.next().result.round(4).tolist() == [[0.7]]
    assert w.next().result.round(4).tolist() == [[0.6682]]
    assert w.next().result.round(4).tolist() == [[0.4341]]
    stop = w.run_until("phase backward and layer fc2")
    assert stop.cotangent.round(4).tolist() == [[-0.0659]]
    assert stop.shares["fc2.weight"].total.round(4).tolist() == [[-0.044]]
    stop = w.run_until("phase update and layer fc2")
    assert (stop.name, stop.settings, stop.result.round(4).tolist()) == ("SGD", "lr=0.1", [[0.5044]])
    assert abs(stop.ratio - 0.0044 / 0.5) < 1e-4
    assert stop.update.round(4).tolist() == [[0.0044]]


CONDITIONS = {
    "until any |delta| of block3 > 0.05": ("backward", "block3"),
    "layer block3": ("forward", "block3.fc"),
    "operation t*": ("forward", "block3"),
    "operation broadcast_to and phase backward": ("backward", "block3.norm"),
    "operation add of block3.norm": ("forward", "block3.norm"),
    "all |ratio| > 0.02": ("update", "fc1"),
    "gradient of fc1.weight != 0": ("backward", "fc1"),
    "loss > 0": ("forward", "loss"),
    "not phase forward and layer block3.fc": ("backward", "block3.fc"),
    "any a of fc9 is nan or phase update": ("update", "fc1"),
    "any |share| of block3.fc.bias > −1e3 and not a is finite": ("backward", "block3.fc"),
    "any z of block3.* <= 1e9": ("forward", "block3.fc"),
}


@pytest.mark.parametrize("text", [t for t in CONDITIONS if "fc9" not in t])
def test_conditions(text):
    w = walk()
    stop = w.run_until(text)
    assert (stop.phase, stop.path) == CONDITIONS[text]
    assert w.here is stop


def test_a_condition_that_is_a_function():
    w = walk()
    stop = w.run_until(lambda s: s.phase == "backward" and np.abs(s.cotangent).max() < 0.5)
    assert stop.path == "loss" and stop.name == "softmax_cross_entropy"
    assert w.continue_().position == stop.position + 1
    assert w.run_until(lambda s: False) is None
    assert w.done


def test_the_first_number_that_is_not_finite():
    w = walk()
    model = nn.Sequential(fc1=nn.Linear(2, 2), exp=nn.ReLU(), fc2=nn.Linear(2, 1))
    model.load_state_dict({k: np.full_like(v, 1e30) for k, v in model.state_dict().items()})
    with np.errstate(all="ignore"):
        w = cr.stepper(model, np.ones((1, 2)), np.ones((1, 1)), "mse")
        stop = w.run_until("any a is not finite")
    assert (stop.path, stop.phase, stop.result.tolist()) == ("fc2", "forward", [[np.inf]])


LINES = """n
i

b
u any |delta| of block3 > 0.05
u any |delta| of nothing > 1
c
zz
w
o
q
n
"""


def test_lines_from_a_file():
    output = io.StringIO()
    w = walk()
    w.interact(io.StringIO(LINES), output)
    said = output.getvalue()
    assert said.startswith(
        "32 operations. n next, i into, b back, o out, c continue, u WHEN, ? help, q quit\n\nforward 1/32"
    )
    assert "known   fc1, block3, block3.fc, block3.norm, fc2, loss" in said
    assert "There is no command 'zz'.\n  n, Enter  next" in said
    assert w.here.phase == "backward"
    w.interact(io.StringIO("n\n" * 100), output)  # the end of the input ends it
    assert output.getvalue().rstrip().endswith("The end: there is nothing behind it.")
    w = walk()
    w.interact(io.StringIO("b\nc\n"), output)
    assert "Before the first operation." in output.getvalue()
    assert w.done


def test_the_text_of_a_stop():
    w = walk()
    w.next()
    lines = str(w.here).splitlines()
    assert lines[0].startswith("forward 1/32   fc1 = Linear(3 → 4)   affine   test_stepper.py:")
    assert lines[1] == "  y = x wᵀ + b"
    assert lines[2] == "  x                             (5, 3)"
    w.run_until("phase backward and operation affine of block3.fc")
    text = str(w.here)
    assert "  x̄ = ȳ w;  w̄ = ȳᵀ x;  b̄ = Σₙ ȳₙ" in text
    assert "→ ∂L/∂fc1.z                   (5, 4)   share 2 of 2\n" in text
    assert "  Σ ∂L/∂fc1.z                 (5, 4)   complete\n" in text
    w.run_until("phase update")
    assert "‖Δθ‖/‖θ‖ = 0.0" in str(w.here)


def test_large_arrays_are_elided():
    model = nn.Sequential(fc1=nn.Linear(300, 200), act1=nn.ReLU(), fc2=nn.Linear(200, 10))
    w = cr.stepper(model, np.random.default_rng(0).standard_normal((64, 300)), np.zeros(64, int), "cross-entropy")
    text = str(w.next())
    assert "(64, 200)   min −" in text and "mean" in text
    assert max(map(len, text.splitlines())) <= 110
    assert len(text.splitlines()) < 50


SCRIPT = """
import chainrule as cr
cr.seed(0)
model = cr.nn.Sequential(fc1=cr.nn.Linear(2, 2), act1=cr.nn.Tanh(), fc2=cr.nn.Linear(2, 1))
w = cr.stepper(model, [[1.0, 2.0]], [[1.0]], "mse")
w.interact()
print("left at", w.position)
"""


@pytest.mark.parametrize(
    ("keys", "ends"), [("nnibq", 1), ("n\x1b[Cn\x1b[Dq", 2), ("uphase backward\nn\x04", 8), ("nn\x03", 2)]
)
def test_keys_in_a_terminal(keys, ends):
    """One key a step, without Enter; u asks for a line; q, Ctrl-D and Ctrl-C end it and leave the terminal well."""
    ours, theirs = pty.openpty()
    ends_of = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], **ends_of, start_new_session=True, preexec_fn=take_the_terminal
    )
    os.close(theirs)
    said = b""
    pieces = [keys] if "u" not in keys else [keys[0], keys[1:].partition("\n")[0] + "\n", keys.partition("\n")[2]]
    pieces = [p for piece in pieces for p in ([piece] if piece.endswith("\n") else split(piece))]
    for piece in ["", *pieces]:
        os.write(ours, piece.encode())
        said += until_quiet(ours)
    assert process.wait(20) == 0, said.decode()
    assert f"left at {ends}" in said.decode()


def take_the_terminal():
    """So that Ctrl-C in it is a signal to the process."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def split(keys):
    """Keys one by one; arrows stay whole."""
    parts = []
    while keys:
        n = 3 if keys.startswith("\x1b[") else 1
        parts.append(keys[:n])
        keys = keys[n:]
    return parts


def until_quiet(fd):
    """What a terminal shows until its program waits for the next key."""
    said = b""
    while (
        b"\n\n" not in said.replace(b"\r", b"")[-4:]
        and not said.endswith(b"until ")
        and not re.search(rb"left at \d+\r", said)
    ):
        if not select.select([fd], [], [], 20)[0]:
            break
        try:
            piece = os.read(fd, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        said += piece
    return said


def test_the_command(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    train(Settings("iris", epochs=2, hidden=(6,), lr=0.01, dropout=(0.3,)), folder, show=False)
    command = [sys.executable, "-m", "chainrule", "step", str(folder), "--at", "5", "--rows", "2"]
    shown = subprocess.run(command, input="n\nu phase update\n", capture_output=True, text=True, check=True).stdout
    moment = cr.at(folder, 5)
    weight = moment.model.fc1.weight.numpy()[0, 0]
    assert "x                             (2, 4)" in shown
    assert f"{weight:.3f}".replace("-", "−") in shown
    w = moment.stepper()
    loss, gradients = moment.computed()
    found = {s.name: s.total for stop in w for s in stop.shares.values() if s.is_parameter and s.complete}
    for name, gradient in gradients.items():
        np.testing.assert_allclose(found[name], gradient, rtol=1e-5, atol=1e-7)
    losses = [stop.result for stop in w if stop.phase == "forward" and "loss" in stop.results]
    np.testing.assert_allclose(losses[0], loss, rtol=1e-6)
