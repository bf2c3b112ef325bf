"""Pages are opened in headless Chromium: they need no network, complain of nothing, and nothing overlaps."""

import pytest

from chainrule.glass import EXAMPLES

WIDTHS = (1000, 420)
"""A window on a desk, and a narrow one."""

BAD = """<!DOCTYPE html><body style="margin: 0">
<div style="height: 10px">one line<br>and another</div><div>under it all</div>
<script>console.error("oh"); nothere()</script>
<img src="http://example.com/a.png">
<svg width="300" height="40"><text x="5" y="20">label one</text><text x="25" y="22">label two</text></svg>
<div style="width: 2000px; height: 1em"></div>
</body>"""

FAULTS = [
    "console: oh",
    "console: ReferenceError: nothere is not defined",
    "console: Failed to load resource: net::ERR_NAME_NOT_RESOLVED",
    "network: http://example.com/a.png",
    "overlap: 'under it all' and 'and another'",
    "overlap: 'label one' and 'label two'",
    "width: <div> '' reaches from 0 to 2000 of 1000",
    "width: the page is 2000 wide, its window 1000",
]


def test_what_is_wrong_with_a_page_is_found(browser, tmp_path):
    """The measure itself: a page with one fault of each kind."""
    file = tmp_path / "bad.html"
    file.write_text(BAD, encoding="utf-8")
    found = [fault.split("\n")[0] for fault in browser.open(file).faults()]
    assert sorted(found) == sorted(FAULTS)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_worked_example_is_a_page_in_order(name, width, browser, tmp_path):
    file = tmp_path / f"{name}.html"
    file.write_text(EXAMPLES[name]().html(), encoding="utf-8")
    assert browser.open(file, width=width).faults() == []
