"""When a stepper stops: conditions in words, read by a small grammar, never run as code.

    condition = clause { ("and" | "or") clause }             "and" binds closer than "or"
    clause    = "not" clause
              | "layer" PATH | "operation" NAME ["of" PATH] | "phase" NAME
              | ["any" | "all"] quantity ["of" PATH] test
    quantity  = NAME | "|" NAME "|"
    test      = (">" | ">=" | "<" | "<=" | "==" | "!=") NUMBER | "is" ["not"] KIND

A path is that of a layer, of everything below it, or of a quantity, `*` and `?` standing for letters. "layer fc1" holds
where fc1 is entered, "of fc1" in all of it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from chainrule.base.errors import OptionError
from chainrule.glass.stepping.events import Value
from chainrule.glass.stepping.stop import Stop

Condition = Callable[[Stop], Any]

TOKEN = re.compile(r"\s*(>=|<=|==|!=|[><|]|[-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.*?])|[\w.*?Δθ]+)")

COMPARISONS: dict[str, Callable[[Any, float], Any]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip

KINDS: dict[str, Callable[[Any], Any]] = {
    "finite": np.isfinite,
    "nan": np.isnan,
    "infinite": np.isinf,
    "zero": lambda x: x == 0,
}

PHASES = ("forward", "backward", "update")

FORWARD, BACKWARD, GRADIENT = "a z result", "delta da dz cotangent", "gradient dW db"

QUANTITIES: dict[str, Callable[[Stop], Sequence[Value]]] = {
    **dict.fromkeys(FORWARD.split(), lambda s: s.made if s.phase == "forward" else ()),
    **dict.fromkeys(BACKWARD.split(), lambda s: s.bars),
    **dict.fromkeys(GRADIENT.split(), lambda s: [_total(v) for v in s.passed if v.is_parameter and v.complete]),
    "operand": lambda s: s.given if s.phase == "forward" else (),
    "share": lambda s: s.passed,
    "loss": lambda s: [v for v in s.made if v.name == "loss" and s.phase == "forward"],
    "weight": lambda s: s.made if s.phase == "update" else (),
    "update": lambda s: [v for v in s.given if v.role == "Δθ"],
    "ratio": lambda s: [] if s.ratio is None else [Value("", s.given[0].name, np.asarray(s.ratio))],
}
"""Words for what is to be seen at a stop."""


def condition(wanted: str | Condition, paths: Iterable[str] = (), names: Iterable[str] = ()) -> Condition:
    """A condition from words, or a function of a `Stop` as it is.

    `paths` and `names` are the layers and the quantities that there are; where none are given, any may be meant.

    >>> late = condition("until phase backward and layer conv2")
    >>> condition("until any |delta| of block3 > 10 or loss is not finite") is not None
    True

    Raises:
        OptionError: the words cannot be read; the place is named.
    """
    if callable(wanted):
        return wanted
    if not isinstance(wanted, str):
        raise OptionError(
            f"A condition is a text or a function of a Stop, got {type(wanted).__name__}.",
            fix='"any |delta| of fc1 > 10"',
        )
    try:
        return _Reader(wanted, list(paths), list(names)).read()
    except OptionError as error:  # the reader's own lines say nothing to who wrote the words
        raise error.with_traceback(None) from None


class _Reader:
    """Reads one condition from left to right."""

    def __init__(self, text: str, paths: list[str], names: list[str]) -> None:
        self.text, self.paths, self.names = text, paths, names
        self.tokens, self.places = [], []
        place, end = 0, len(text.rstrip())
        while place < end:
            found = TOKEN.match(text, place)
            if not found:
                place += len(text[place:]) - len(text[place:].lstrip())
                raise self._wrong(f"{text[place]!r} is no part of a condition", place)
            self.tokens.append(found[1])
            self.places.append(found.start(1))
            place = found.end()
        self.at = 0

    def read(self) -> Condition:
        if self._peek() == "until":
            self.at += 1
        found = self._either()
        if self._peek():
            raise self._expected("and, or, or the end")
        return found

    def _either(self) -> Condition:
        clauses = [self._both()]
        while self._take("or"):
            clauses.append(self._both())
        return clauses[0] if len(clauses) == 1 else lambda stop: any(clause(stop) for clause in clauses)

    def _both(self) -> Condition:
        clauses = [self._clause()]
        while self._take("and"):
            clauses.append(self._clause())
        return clauses[0] if len(clauses) == 1 else lambda stop: all(clause(stop) for clause in clauses)

    def _clause(self) -> Condition:
        if self._take("not"):
            clause = self._clause()
            return lambda stop: not clause(stop)
        if self._take("layer"):
            path = self._path()
            return lambda stop: enters(stop, path)
        if self._take("operation"):
            name = self._word("the name of an operation")
            path = self._path() if self._take("of") else "*"
            return lambda stop: fnmatchcase(stop.name, name) and lies_in(stop.path, path)
        if self._take("phase"):
            phase = self._word(", ".join(PHASES), PHASES)
            return lambda stop: stop.phase == phase
        return self._figure()

    def _figure(self) -> Condition:
        """A quantity, where, and the test of its entries."""
        every = self._word("", ("any", "all")) if self._peek() in ("any", "all") else "any"
        positive = self._take("|")
        values = QUANTITIES[self._word(f"a quantity ({', '.join(QUANTITIES)})", QUANTITIES)]
        if positive and not self._take("|"):
            raise self._expected("|")
        path = self._path() if self._take("of") else ""
        test, together = self._test(), np.all if every == "all" else np.any

        def holds(stop: Stop) -> bool:
            found = [v.array for v in values(stop) if not path or lies_in(stop.path, path) or lies_in(v.name, path)]
            with np.errstate(invalid="ignore"):
                tested = [test(np.abs(array) if positive else array) for array in found]
            return bool(tested) and bool(together([together(one) for one in tested]))

        return holds

    def _test(self) -> Callable[[np.ndarray], Any]:
        if self._take("is"):
            wanted = not self._take("not")
            kind = KINDS[self._word(", ".join(KINDS), KINDS)]
            return lambda x: kind(x) == wanted
        if self._peek() not in COMPARISONS:
            raise self._expected(f"{', '.join(COMPARISONS)} or is")
        compare, number = COMPARISONS[self._next()], self._number()
        return lambda x: compare(x, number)

    def _number(self) -> float:
        try:
            return float(self._peek().replace("−", "-"))
        except ValueError:
            raise self._expected("a number") from None
        finally:
            self.at += 1

    def _path(self) -> str:
        path = self._word("the path of a layer")
        if self.paths and not any(lies_in(known, path) for known in self.paths + self.names):
            self.at -= 1
            raise self._wrong(f"there is no layer {path!r}", self._place(), ", ".join(self.paths))
        return path

    def _word(self, what: str, known: Iterable[str] = ()) -> str:
        word = self._peek()
        if not re.match(r"[\w*?]", word) or (known and word not in known):
            raise self._expected(what)
        return self._next()

    def _take(self, word: str) -> bool:
        taken = self._peek() == word
        self.at += taken
        return taken

    def _next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _place(self) -> int:
        return self.places[self.at] if self.at < len(self.tokens) else len(self.text.rstrip())

    def _expected(self, what: str) -> OptionError:
        return self._wrong(f"expected {what}, got {self._peek()!r}" if self._peek() else f"{what} is missing")

    def _wrong(self, cause: str, place: int | None = None, known: str = "") -> OptionError:
        place = self._place() if place is None else place
        error = OptionError(
            "This condition cannot be read.", text=self.text, here=" " * place + "^", cause=cause,
        )  # fmt: skip
        return error if not known else OptionError(error.headline, **error.places, known=known)


def lies_in(path: str, wanted: str) -> bool:
    """Whether a path is the wanted one, or lies below it.

    >>> lies_in("block3.fc1", "block3"), lies_in("block30", "block3"), lies_in("fc2.weight", "fc?")
    (True, False, True)
    """
    return fnmatchcase(path, wanted) or fnmatchcase(path, f"{wanted}.*")


def enters(stop: Stop, path: str) -> bool:
    """Whether the operation before lies outside of the layer, or in another pass."""
    before = stop.events[stop.first - 1] if stop.first else None
    outside = before is None or before.phase != stop.phase or not lies_in(before.path, path)
    return outside and lies_in(stop.path, path)


def _total(share: Any) -> Value:
    return Value(share.role, share.name, share.total, share.key)
