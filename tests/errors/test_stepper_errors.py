"""What a stepper says to what it cannot walk through, and to conditions that cannot be read; every message whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule import nn
from chainrule.cli import main
from chainrule.glass import EXAMPLES
from chainrule.glass.stepping.conditions import condition

X, Y = np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)


def model():
    return nn.Sequential(fc1=nn.Linear(3, 2), act1=nn.ReLU())


def until(text):
    return lambda: cr.stepper(model(), X, Y, "mse").run_until(text)


WALK = cr.stepper(model(), X, Y, "mse")

CASES = {
    "no model": (lambda: cr.stepper(np.tanh, X, Y, "mse"), "A stepper is of a model made of modules, got ufunc."),
    "a loss of several numbers": (
        lambda: cr.stepper(model(), X, Y, lambda p, y: (p - y) ** 2),
        "A stepper needs a loss that is one number, this one gave (4, 2).\n  try     a loss with reduction='mean'",
    ),
    "an optimiser that is not made": (
        lambda: cr.stepper(model(), X, Y, "mse", cr.optim.Adam),
        "A stepper needs an optimizer that is made, got Adam.\n  try     cr.optim.Adam(model, lr=1e-3)",
    ),
    "a number": (
        until(3),
        "A condition is a text or a function of a Stop, got int.\n"
        '  try     "any |delta| of fc1 > 10"',
    ),
    "a layer that is not there": (
        until("any |delta| of block3 > 10"),
        "This condition cannot be read.\n"
        "  text    any |delta| of block3 > 10\n"
        "  here                   ^\n"
        "  cause   there is no layer 'block3'\n"
        "  known   fc1, act1, loss",
    ),
    "code": (
        until("__import__('os').system('true')"),
        "This condition cannot be read.\n"
        "  text    __import__('os').system('true')\n"
        "  here              ^\n"
        "  cause   '(' is no part of a condition",
    ),
    "no quantity": (
        until("any > 3"),
        "This condition cannot be read.\n"
        "  text    any > 3\n"
        "  here        ^\n"
        "  cause   expected a quantity (a, z, result, delta, da, dz, cotangent, gradient, dW, db, operand, share, "
        "loss, weight, update, ratio), got '>'",
    ),
    "no number": (
        until("delta > fc1"),
        "This condition cannot be read.\n"
        "  text    delta > fc1\n"
        "  here            ^\n"
        "  cause   expected a number, got 'fc1'",
    ),
    "no test": (
        until("until any |delta| of fc1"),
        "This condition cannot be read.\n"
        "  text    until any |delta| of fc1\n"
        "  here                            ^\n"
        "  cause   >, >=, <, <=, ==, != or is is missing",
    ),
    "no bar": (
        until("|delta > 3"),
        "This condition cannot be read.\n"
        "  text    |delta > 3\n"
        "  here           ^\n"
        "  cause   expected |, got '>'",
    ),
    "no such kind": (
        until("a is not good"),
        "This condition cannot be read.\n"
        "  text    a is not good\n"
        "  here             ^\n"
        "  cause   expected finite, nan, infinite, zero, got 'good'",
    ),
    "no such phase": (
        until("phase sideways"),
        "This condition cannot be read.\n"
        "  text    phase sideways\n"
        "  here          ^\n"
        "  cause   expected forward, backward, update, got 'sideways'",
    ),
    "too much": (
        until("layer fc1 act1"),
        "This condition cannot be read.\n"
        "  text    layer fc1 act1\n"
        "  here              ^\n"
        "  cause   expected and, or, or the end, got 'act1'",
    ),
    "nothing": (
        until("until"),
        "This condition cannot be read.\n"
        "  text    until\n"
        "  here         ^\n"
        "  cause   a quantity (a, z, result, delta, da, dz, cotangent, gradient, dW, db, operand, share, "
        "loss, weight, update, ratio) is missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_messages(case):
    call, text = CASES[case]
    with pytest.raises(cr.OptionError) as caught:
        call()
    assert str(caught.value) == text


WORDS = (
    "until any all not layer operation phase of is and or | > < >= == != a delta ratio loss fc1 act1 * 3 -1e3 finite"
)


@given(st.one_of(st.text(max_size=30), st.lists(st.sampled_from(WORDS.split()), max_size=9).map(" ".join)))
def test_any_text_is_a_condition_or_an_error(text):
    """It is read or refused, and what was read answers at every stop."""
    try:
        holds = condition(text, WALK.paths, WALK.names)
    except cr.OptionError as error:
        assert error.headline == "This condition cannot be read."
        assert error.places["text"] == text
        return
    assert all(holds(stop) in (True, False) for stop in WALK)


TERMINAL = {
    ("step", "tiny"): (
        "OptionError: There is no example 'tiny'.\n"
        f"  known   {', '.join(EXAMPLES)}\n"
        "  or      a run folder of chainrule train\n"
    ),
    ("step", "xor"): (
        "OptionError: The example xor is told in parts, it is no step of one model.\n  try     chainrule explain xor\n"
    ),
    ("step", "tiny-network", "--at", "3"): "OptionError: The example tiny-network has one step, --at 3 is for runs.\n",
}


@pytest.mark.parametrize("arguments", TERMINAL)
def test_messages_of_the_command(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 1
    assert capsys.readouterr().err == TERMINAL[arguments]


def test_a_condition_that_cannot_be_read_shows_no_lines_of_the_reader():
    with pytest.raises(cr.OptionError) as caught:
        cr.stepper(cr.nn.Linear(2, 1), [[1.0, 2.0]], [[1.0]], "mse").run_until("anything")
    assert [entry.name for entry in caught.traceback[1:]] == ["run_until", "condition"]
