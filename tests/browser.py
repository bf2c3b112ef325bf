"""A page opened in headless Chromium: what it asked the network for, what it complained of, how it is laid out.

The browser is driven by its DevTools protocol over two pipes, JSON ended by a zero byte; nothing but Python is needed.
Names are resolved nowhere, so that a page that needs the network shows it.

    with Browser() as browser:
        page = browser.open(file, width=900)
        assert page.faults() == []
        page.screenshot(picture)
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 60.0
"""Seconds that one answer may take, on a machine that is busy."""

MEASURE = (Path(__file__).parent / "browser.js").read_text(encoding="utf-8")


def chromium() -> str | None:
    """The path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One process of headless Chromium with a profile of its own, which is thrown away."""

    def __init__(self) -> None:
        program = chromium()
        if program is None:
            raise FileNotFoundError(f"no browser among {', '.join(NAMES)}")
        self.folder = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        (hears, self.write), (self.read, says) = _pipe(), _pipe()
        command = [program, *FLAGS, f"--user-data-dir={self.folder.name}", "about:blank"]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{hears} 4>&{says}', *command],
            pass_fds=(hears, says), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(hears)
        os.close(says)
        self.unread, self.asked = b"", 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the browser."""
        for end in (self.write, self.read):
            os.close(end)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def open(self, file: Path, width: int = 1000, height: int = 800) -> Page:
        """A page in a new tab, loaded, its fonts too."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable", session)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", session, **size)
        page = Page(self, session, file.resolve().as_uri())
        self.ask("Page.navigate", session, url=page.address)
        self._until(lambda: any(e["method"] == "Page.loadEventFired" for e in page.events))
        page.run("document.fonts.ready.then(() => 0)")
        return page

    # The protocol.

    def ask(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """What the browser answers to one call; what it tells meanwhile is kept in `events`."""
        self.asked += 1
        call = {"id": self.asked, "method": method, "params": params}
        os.write(self.write, json.dumps(call | ({"sessionId": session} if session else {})).encode() + b"\0")
        answers: list[dict[str, Any]] = []
        self._until(lambda: answers, answers)
        if "error" in answers[0]:
            raise RuntimeError(f"{method}: {answers[0]['error']['message']}")
        return answers[0]["result"]

    def _until(self, done: Callable[[], Any], answers: list[dict[str, Any]] | None = None) -> None:
        """Read messages until something holds."""
        until = monotonic() + PATIENCE
        while not done():
            message = self._message(until)
            if message.get("id") == self.asked and answers is not None:
                answers.append(message)
            elif "method" in message:
                self.events.append(message)

    def _message(self, until: float) -> dict[str, Any]:
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.read], [], [], max(0.0, until - monotonic()))
            part = os.read(self.read, 1 << 20) if ready else b""
            if not part:
                raise TimeoutError("the browser has ended" if ready else f"no answer within {PATIENCE:g} s")
            self.unread += part
        message, _, self.unread = self.unread.partition(b"\0")
        return json.loads(message)


def _pipe() -> tuple[int, int]:
    """The two ends of a pipe, with numbers from 10: the browser's own are 3 and 4."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high[0], high[1]


class Page:
    """One tab: what happened while it was loaded, and measurements of what is shown."""

    def __init__(self, browser: Browser, session: str, address: str) -> None:
        self.browser, self.session, self.address = browser, session, address

    @property
    def events(self) -> list[dict[str, Any]]:
        """What the browser told of this page, in order."""
        return [event for event in self.browser.events if event.get("sessionId") == self.session]

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript, awaited if it is a promise."""
        settings = {"expression": script, "returnByValue": True, "awaitPromise": True}
        answer = self.browser.ask("Runtime.evaluate", self.session, **settings)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description", script))
        return answer["result"].get("value")

    def screenshot(self, file: Path) -> Path:
        """The whole page as a PNG."""
        size = self.browser.ask("Page.getLayoutMetrics", self.session)["cssContentSize"]
        shown = {"captureBeyondViewport": True, "clip": {**size, "scale": 1}}
        answer = self.browser.ask("Page.captureScreenshot", self.session, format="png", **shown)
        file.write_bytes(base64.b64decode(answer["data"]))
        return file

    @property
    def complaints(self) -> list[str]:
        """Errors and warnings of the console, and exceptions of scripts."""
        found = []
        for event in self.events:
            told = event["params"]
            match event["method"]:
                case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                    found.append(" ".join(str(a.get("value", a.get("description"))) for a in told["args"]))
                case "Runtime.exceptionThrown":
                    details = told["exceptionDetails"]
                    found.append(details.get("exception", {}).get("description", details["text"]))
                case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                    found.append(told["entry"]["text"])
        return found

    @property
    def requests(self) -> list[str]:
        """What the page asked for beside itself; what it brings along (data:) is not asked for."""
        asked = [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if url != self.address and not url.startswith(("data:", "blob:"))]

    def overlaps(self) -> list[str]:
        """Pieces of text that lie over each other, and boxes over boxes beside them."""
        return self.run(f"({MEASURE})().overlaps")

    def too_wide(self) -> list[str]:
        """What sticks out of the page, or of a box that cuts it off without a way to scroll."""
        return self.run(f"({MEASURE})().wide")

    def faults(self) -> list[str]:
        """All that is wrong: complaints, requests, overlaps, what is too wide; empty for a good page."""
        found = {
            "console": self.complaints, "network": self.requests, "overlap": self.overlaps(), "width": self.too_wide(),
        }  # fmt: skip
        return [f"{what}: {text}" for what, texts in found.items() for text in texts]
