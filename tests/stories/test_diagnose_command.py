"""chainrule diagnose SCRIPT: a script is run, and told what is wrong with its training."""

import json
import signal
import subprocess
import sys
from textwrap import dedent

import pytest

SCRIPT = """
    import sys
    import chainrule as cr
    from chainrule.losses import cross_entropy

    cr.seed(0)
    model, data = cr.models.MLP(4, 16, 3), cr.data.iris()
    optimizer = cr.optim.SGD(model, lr=float(sys.argv[1]))
    for epoch in range(4):
        for x, y in cr.data.Loader(data, batch_size=25).epoch(epoch):
            if "--forget" not in sys.argv:
                optimizer.zero_grad()
            loss = cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
    print("trained by", __name__)
    if "--fail" in sys.argv:
        raise ValueError("the end")
    if "--refuse" in sys.argv:
        model([[1.0]])
    """


@pytest.fixture
def diagnose(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(dedent(SCRIPT))

    def run(*arguments):
        command = [sys.executable, "-m", "chainrule", "diagnose", *arguments]
        command[command.index("SCRIPT")] = str(script)
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def test_nothing_wrong(diagnose):
    done = diagnose("SCRIPT", "0.05")
    assert done.stdout == "trained by __main__\nNothing wrong was found in 24 steps.\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_something_wrong(diagnose):
    done = diagnose("SCRIPT", "0.05", "--forget")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[1:3] == [
        "23 of 24 updates were made with the gradients of the steps before them added in.",
        "  verdict gradients not zeroed",
    ]


def test_as_json(diagnose):
    done = diagnose("--json", "SCRIPT", "0.05", "--forget")
    assert (done.returncode, done.stderr) == (1, "trained by __main__\n")
    told = json.loads(done.stdout)
    assert told["verdicts"][0]["name"] == "gradients not zeroed"
    assert {"failure": None, "trainings": 1, "steps": 24, "error": None}.items() <= told.items()


def test_a_script_that_fails(diagnose):
    done = diagnose("SCRIPT", "0.05", "--fail")
    assert done.returncode == 1
    assert done.stdout == "trained by __main__\nNothing wrong was found in 24 steps.\n"
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert done.stderr.endswith('    raise ValueError("the end")\nValueError: the end\n')
    assert done.stderr.count("File") == 1


def test_a_script_that_this_library_ends(diagnose):
    done = diagnose("SCRIPT", "0.05", "--refuse")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "script.py:20: ShapeError: Linear expects 4 input features, got 1."


def test_a_number_that_is_not_finite(diagnose):
    done = diagnose("--json", "SCRIPT", "1e30")
    told = json.loads(done.stdout)
    assert [verdict["name"] for verdict in told["verdicts"][:2]] == ["learning rate blow-up", "not finite"]
    assert told["verdicts"][0]["step"] == 0
    assert told["failure"]["phase"] in ("forward", "backward")
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("text", "stderr"),
    [
        ("import sys\nsys.exit('no data found')\n", "no data found\n"),
        ("def (:\n", '  File "{script}", line 1\n    def (:\n        ^\nSyntaxError: invalid syntax\n'),
    ],
    ids=["exit with a message", "no Python"],
)
def test_a_script_that_ends_before_it_trains(tmp_path, text, stderr):
    script = tmp_path / "script.py"
    script.write_text(text)
    command = [sys.executable, "-m", "chainrule", "diagnose", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "Nothing was trained.\n", stderr.format(script=script))


def test_interrupted_a_script_is_judged(tmp_path):
    script = tmp_path / "script.py"
    endless = dedent(SCRIPT).replace("range(4)", "__import__('itertools').count()").replace("loss.backward", "tell")
    script.write_text(endless.replace("tell()", "loss.backward(); print(epoch, flush=True)"))
    command = [sys.executable, "-m", "chainrule", "diagnose", str(script), "0.05", "--forget"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        while running.stdout.readline().strip() != "4":
            pass
        running.send_signal(signal.SIGINT)
        stdout, stderr = running.communicate()
    assert (running.returncode, stderr) == (130, "script.py was interrupted.\n")
    assert "  verdict gradients not zeroed\n" in stdout
