"""What people do wrong most often, and the whole text of what they are told: the cause, the place, a way out."""

import re

import pytest

from chainrule.base.errors import ChainruleError
from tests.errors import (
    mistakes_data,
    mistakes_gradients,
    mistakes_kinds,
    mistakes_sequences,
    mistakes_settings,
    mistakes_shapes,
)
from tests.errors.mistakes import MISTAKES

FILES = (
    mistakes_shapes,
    mistakes_sequences,
    mistakes_settings,
    mistakes_kinds,
    mistakes_gradients,
    mistakes_data,
)
"""Each enters its mistakes when it is imported."""
LEAST = 118
"""Mistakes listed: one that is dropped is noticed."""


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name):
    make, text = MISTAKES[name]
    with pytest.raises(ChainruleError) as raised:
        make()
    told = f"{type(raised.value).__name__}: {raised.value}"
    assert re.sub(r"\S+\.py:\d+", "FILE:LINE", told) == text


def test_there_are_many():
    assert len(MISTAKES) >= LEAST
