"""A stepper in a terminal: one key a step, or one line where the input is a file."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chainrule.base.errors import OptionError
from chainrule.glass.stepping.stepper import Stepper

ARROW = 0.05
"""Seconds within which the rest of an arrow key comes."""

HELP = """  n, Enter  next: over the layer that comes, or its next operation
  b         back
  i         into the layer at hand, operation by operation
  o         out: to the end of the layer; outside, of the pass
  u WHEN    on until a condition holds: u any |delta| of fc1 > 10
            u any a of fc1 is not finite, u layer conv2, u operation relu, u phase backward
  c         continue until it holds again, or to the end
  w         where we are, once more
  q         quit"""

WORDS = {
    "n": "next", "b": "back", "i": "into", "o": "out", "c": "continue", "u": "until", "w": "where", "q": "quit",
    "?": "help", "h": "help", "": "next", "\r": "next", "\n": "next", "\x04": "quit", "\x03": "quit",
    "\x1b[C": "next", "\x1b[B": "next", "\x1b[D": "back", "\x1b[A": "back",
}  # fmt: skip
"""Keys, arrows among them, and what they mean."""


def interact(stepper: Stepper, input: Any = None, output: Any = None) -> None:
    """Commands until q or the end of the input; Ctrl-C and Ctrl-D end it too."""
    source, sink = input or sys.stdin, output or sys.stdout
    try:
        with commands(source, sink) as given:
            _say(sink, f"{len(stepper)} operations. n next, i into, b back, o out, c continue, u WHEN, ? help, q quit")
            for line in given:
                if _ends(stepper, line, sink):
                    break
    except KeyboardInterrupt:
        _say(sink, "")


@contextmanager
def commands(source: Any, sink: Any) -> Iterator[Iterator[str]]:
    """Commands as they come: key by key in a terminal, else line by line."""
    if not _is_terminal(source):
        yield (line.strip() for line in iter(source.readline, ""))
        return
    import termios
    import tty

    fd = source.fileno()
    before = termios.tcgetattr(fd)

    def cooked() -> None:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)

    def raw() -> None:
        tty.setcbreak(fd, termios.TCSADRAIN)  # what was typed ahead is kept

    try:
        raw()
        yield _keys(fd, source, sink, raw, cooked)
    finally:
        cooked()


def _is_terminal(source: Any) -> bool:
    try:
        import termios  # noqa: F401 - Windows has none
    except ImportError:
        return False
    return hasattr(source, "fileno") and hasattr(source, "isatty") and source.isatty()


def _keys(fd: int, source: Any, sink: Any, raw: Callable[[], None], cooked: Callable[[], None]) -> Iterator[str]:
    """Keys one by one; u asks for the rest of its line."""
    while key := os.read(fd, 1).decode(errors="replace"):
        if key == "u":
            cooked()
            sink.write("until ")
            sink.flush()
            line = source.readline()
            raw()
            key = f"u {line.strip()}"
        elif key == "\x1b" and select.select([fd], [], [], ARROW)[0]:
            key += os.read(fd, 2).decode(errors="replace")
        yield key


def _ends(stepper: Stepper, line: str, sink: Any) -> bool:
    """Obey one command; whether it was the last."""
    key, _, rest = line.partition(" ")
    word = WORDS.get(key, key)
    moves = {"next": stepper.next, "back": stepper.back, "into": stepper.into, "out": stepper.out}
    if word == "quit":
        return True
    if word in moves:
        done = stepper.done and word in ("next", "into")
        moves[word]()
        _say(sink, "The end: there is nothing behind it." if done else _here(stepper))
    elif word in ("until", "continue"):
        _run(stepper, word, rest.strip(), sink)
    elif word == "where":
        _say(sink, _here(stepper))
    else:
        _say(sink, HELP if word == "help" else f"There is no command {key!r}.\n{HELP}")
    return False


def _run(stepper: Stepper, word: str, wanted: str, sink: Any) -> None:
    try:
        stop = stepper.run_until(wanted) if word == "until" else stepper.continue_()
    except OptionError as error:
        _say(sink, str(error))
        return
    met = stop is not None or (word == "continue" and stepper.condition is None)
    _say(sink, _here(stepper) if met else f"That holds nowhere from here on: this is the end.\n{_here(stepper)}")


def _here(stepper: Stepper) -> str:
    return "Before the first operation." if stepper.here is None else str(stepper.here)


def _say(sink: Any, text: str) -> None:
    sink.write(f"{text}\n\n" if text else "\n")
    sink.flush()
