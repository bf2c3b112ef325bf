"""What all tests can ask for."""

from __future__ import annotations

import json
import signal
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from chainrule.backends import backend_named, register
from tests.browser import Browser, chromium
from tests.passed import Passed

signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background, and their children, ignore Ctrl-C

# How long an example takes is the machine's affair (a busy disk, a cold cache), not the law's.
settings.register_profile("chainrule", deadline=None)
settings.load_profile("chainrule")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real data sets next to the checkout; tests that need it skip where it is missing."""
    folder = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data sets at {folder}")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; tests that open pages skip where there is none."""
    if chromium() is None:
        pytest.skip("no Chromium is installed, so no page is opened")
    with Browser() as opened:
        yield opened


class WorkedExamples:
    """The documents' worked examples, and the count of those that a test of this run has shown."""

    path = Path(__file__).resolve().parents[1].parent / "shared" / "inventory" / "worked-examples.json"

    def __init__(self) -> None:
        known = json.loads(self.path.read_text(encoding="utf-8")) if self.path.is_file() else []
        self.rows: dict[str, dict[str, Any]] = {row["id"]: row for row in known}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Write the ids into the tests' reports, which come back from every process of pytest-xdist."""
        for item in items:
            item.user_properties += [("worked", row_id) for row_id in marked(item)]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """How many examples are covered, and which are not, by document."""
        passed = [report for report in terminalreporter.getreports("passed") if report.when == "call"]
        shown = {row_id for report in passed for name, row_id in report.user_properties if name == "worked"}
        if not shown or not self.rows:
            return
        open_ids = defaultdict(list)
        for row_id, row in self.rows.items():
            open_ids[row["doc"]] += [row_id] * (row_id not in shown)
        covered = len(shown & self.rows.keys())
        terminalreporter.section("worked examples of the documents")
        terminalreporter.write_line(f"{covered} of {len(self.rows)} covered by this run; not covered:")
        for document, ids in sorted(open_ids.items()):
            terminalreporter.write_line(f"  {document} ({len(ids)}): {' '.join(ids) or 'none'}")


def marked(item: pytest.Item) -> list[str]:
    """The ids of the worked examples that a test says it shows."""
    return [row_id for mark in item.iter_markers("worked") for row_id in mark.args]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("chainrule")
    group.addoption("--passed-to", help="write the names of the tests that passed into this file")
    group.addoption("--beyond", help="leave out the tests that this file names")
    group.addoption("--torch-device", help="what tests mean by the backend torch, as in --torch-device cuda")


def use_torch_on(device: str) -> None:
    """Let the backend torch be this device of it where none is named."""
    torch = backend_named("torch")
    register(replace(torch, device_named=lambda name: torch.device_named(name or device)))


def pytest_configure(config: pytest.Config) -> None:
    if device := config.getoption("--torch-device"):
        use_torch_on(device)
    config.pluginmanager.register(Passed(config), "passed")
    config.addinivalue_line("markers", "worked(*ids): shows worked examples of the documents, by id")
    if not config.pluginmanager.has_plugin("worked-examples"):
        config.pluginmanager.register(WorkedExamples(), "worked-examples")
