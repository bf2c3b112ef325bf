"""The documents' worked examples by id, and what a test of one has to show.

A test says `@pytest.mark.worked("000-6.15", ...)`, takes the fixture `worked`, and compares what the library
computes by `worked("000-6.15").check(...)`. The mark counts only where it is true: a test marked with a
numeric row fails if it never looks at the row's right values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

FULL_PRECISION = 1e-7
"""The right values are float64 numbers in full; two float64 computations of one differ by far less."""

ZERO = 1e-12
"""An exact 0 among the values: what float64 leaves of it after a few operations on numbers near 1."""

NUMBER = re.compile(r"[-+]?\d+(?:\.(\d+))?(?:e([-+]?\d+))?")
COMPARED = pytest.StashKey[set[str]]()


class Row(dict[str, Any]):
    """One worked example: `id`, `where`, `what`, `kind`, `printed`, `values`, `verdict`, and its checks."""

    def __init__(self, row: dict[str, Any], compared: set[str]) -> None:
        super().__init__(row)
        self.compared = compared

    def __getitem__(self, key: str) -> Any:
        if key == "values":
            self.compared.add(super().__getitem__("id"))
        return super().__getitem__(key)

    @property
    def right(self) -> np.ndarray:
        """The right numbers, float64."""
        return np.asarray(self["values"], np.float64)

    @property
    def printed(self) -> list[tuple[float, float]]:
        """The printed numbers, each with half a unit of its last digit."""
        return [with_half_unit(found) for found in NUMBER.finditer(self["printed"])]

    def check(self, got: Any, rel: float = FULL_PRECISION, tabulated_times: float = 1.0) -> None:
        """`got` is the right value and, where the document is wrong, not what it prints.

        Values are in float64. `tabulated_times`: the factor that the row's values are tabulated with.
        """
        got = np.asarray(got)
        assert got.dtype.kind in "iub" or got.dtype == np.float64, f"{self['id']}: {got.dtype}, not float64"
        assert got.shape == self.right.shape, f"{self['id']}: shape {got.shape}, not {self.right.shape}"
        np.testing.assert_allclose(got * tabulated_times, self.right, rtol=rel, atol=ZERO, err_msg=self["id"])
        if self["verdict"] == "wrong":
            self.refute(got)

    def refute(self, got: Any) -> None:
        """What is printed wrong is not `got`, even to the digits printed."""
        entries = np.ravel(got)
        assert len(self.printed) == len(entries), f"{self['id']}: other sizes"
        for i in self["wrong_elements"] or range(len(entries)):
            number, half_unit = self.printed[i]
            assert abs(entries[i] - number) > half_unit, f"{self['id']}: entry {i} is {number}, as printed"


def with_half_unit(found: re.Match[str]) -> tuple[float, float]:
    """A printed number and half a unit of its last digit; a plain 0 means exactly 0."""
    decimals, exponent = len(found[1] or ""), int(found[2] or 0)
    return float(found[0]), 0.0 if found[0] == "0" else 0.5 * 10.0 ** (exponent - decimals)


@pytest.fixture(scope="session")
def inventory(pytestconfig: pytest.Config) -> dict[str, dict[str, Any]]:
    """All rows by id; tests that need them skip where they are missing."""
    examples = pytestconfig.pluginmanager.get_plugin("worked-examples")
    if not examples.rows:
        pytest.skip(f"no worked examples at {examples.path}")
    return examples.rows


@pytest.fixture
def worked(inventory: dict[str, dict[str, Any]], request: pytest.FixtureRequest) -> Callable[[str], Row]:
    """The row of an id."""
    compared = request.node.stash[COMPARED] = set()
    return lambda row_id: Row(inventory[row_id], compared)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """After a marked test: it has looked at the right values of every numeric row it is marked with."""
    yield
    rows = item.config.pluginmanager.get_plugin("worked-examples").rows
    marked = [row_id for mark in item.iter_markers("worked") for row_id in mark.args]
    numeric = {row_id for row_id in marked if rows.get(row_id, {}).get("kind") == "number"}
    if unseen := numeric - item.stash.get(COMPARED, set()):
        pytest.fail(f"marked with {', '.join(sorted(unseen))}, but never compared with the right values")
