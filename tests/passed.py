"""Tests that have passed already: a second run, with further libraries installed, need not ask them again."""

from __future__ import annotations

from pathlib import Path

import pytest


class Passed:
    """Writes down what passed (`--passed-to`), and leaves out what another run wrote down (`--beyond`)."""

    def __init__(self, config: pytest.Config) -> None:
        self.to, self.known = config.getoption("--passed-to"), config.getoption("--beyond")
        self.names: list[str] = []
        self.alone = not hasattr(config, "workerinput")  # the process that hears of all tests

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what is known to pass."""
        if self.known:
            known = set(Path(self.known).read_text(encoding="utf-8").splitlines())
            out = [item for item in items if item.nodeid in known]
            items[:] = [item for item in items if item.nodeid not in known]
            config.hook.pytest_deselected(items=out)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember a test that passed."""
        if report.when == "call" and report.passed:
            self.names.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write the names, a line each."""
        if self.to and self.alone:
            Path(self.to).write_text("\n".join(self.names) + "\n", encoding="utf-8")
