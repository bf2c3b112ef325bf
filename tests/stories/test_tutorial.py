"""The tutorial's code runs, block by block, and prints what the page says."""

import contextlib
import io
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[-+]\d+)?")

SAME = 0.05
"""Relative: another processor rounds otherwise, and a training of 800 steps carries that on; so do printed digits."""

NEAR = 0.02
"""Absolute: a few images of 360 on the other side, losses near 0."""


@pytest.fixture(scope="module")
def printed():
    """What each block prints, run one behind the other in one namespace."""
    names, texts = {"__name__": "tutorial"}, []
    for code, _ in BLOCKS:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, "tutorial.md", "exec"), names)
        texts.append(out.getvalue())
    return names, texts


def numbers(text):
    return [float(number.replace(",", "")) for number in NUMBER.findall(text)]


def test_every_block_stands_above_what_it_prints():
    assert len(BLOCKS) == PAGE.count("```python") == PAGE.count("```text") == 6


@pytest.mark.parametrize("i", range(len(BLOCKS)))
def test_a_block_prints_what_the_page_says(i, printed):
    shown, (_, texts) = BLOCKS[i][1], printed
    assert NUMBER.sub("#", texts[i]) == NUMBER.sub("#", shown)
    for got, said in zip(numbers(texts[i]), numbers(shown), strict=True):
        assert got == pytest.approx(said, rel=SAME, abs=NEAR if said > 0.01 else 0), texts[i]


def test_the_story_holds(printed):
    """From a loss that stalls at ln 10, over its cause, to a network that has learned."""
    names, texts = printed
    report, test = names["report"], names["test"]
    assert "vanishing gradients" in texts[1] and not report.verdicts
    assert names["cr"].evaluate(names["model"], test)["accuracy"] > 0.9


def test_it_is_one_page():
    assert len(PAGE.splitlines()) < 150 and max(map(len, PAGE.splitlines())) <= 130
