"""Every primitive with its facets, and the laws it is tested for, as a table: `python -m chainrule.ops.inventory`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from chainrule import ops
from chainrule.backends.interface import EXTRAS, Backend, backend_named
from chainrule.base.errors import OptionError
from chainrule.core.families import Elementwise, Linear, Multilinear
from chainrule.core.fused import Fused
from chainrule.core.primitive import PRIMITIVES, Primitive

for _file in iter_modules(ops.__path__):  # the table is of all primitives, those too that nothing has used yet
    import_module(f"{ops.__name__}.{_file.name}")

COLUMNS = ("primitive", "family", "derivative", "shape", "dtype", "vmap", "cost", "formula", "kernels", "laws")
LAWS_FILE = Path(__file__).with_name("laws.json")
"""What the tests ask of each primitive; `python -m tests.laws.laws` writes it, and a test holds it to what is run."""


def rows() -> Iterator[tuple[str, ...]]:
    """One row of cells for each primitive, by name; no cell is empty."""
    for name in sorted(PRIMITIVES):
        primitive = PRIMITIVES[name]
        yield (
            name,
            primitive.family,
            derivative_of(primitive),
            "stated" if primitive._shape else "as argument",
            "stated" if primitive._dtype else "as argument",
            _batching_of(primitive),
            "stated" if primitive._flops.__module__ != Primitive.__module__ else "1 an entry",
            f"{len(primitive.latex)} lines" if primitive.latex else "",
            ", ".join(["generic", *_overrides(name)]),
            _laws()["primitives"].get(name, ""),
        )


def derivative_of(primitive: Primitive) -> str:
    """The stated fact that both modes follow from; "" where it is missing."""
    if not primitive.is_differentiable:
        return "zero"
    if isinstance(primitive, Elementwise):
        return "partials"
    if isinstance(primitive, Linear):
        return "adjoint" if hasattr(primitive, "_adjoint") else ""
    if isinstance(primitive, Multilinear):
        return "adjoints" if hasattr(primitive, "_adjoints") else ""
    if isinstance(primitive, Fused):
        return _fused(primitive)
    return "jvp, vjps" if hasattr(primitive, "_jvp") else ""


def _fused(primitive: Fused) -> str:
    if not hasattr(primitive, "composition"):
        return ""
    return "composed, backward" if primitive._backward else "composed"


def _batching_of(primitive: Primitive) -> str:
    if primitive._batch:
        return "stated"
    return "by entries" if isinstance(primitive, Elementwise) else ""


def _overrides(name: str) -> list[str]:
    """Backends with a kernel of their own, among those installed."""
    return [b.name for b in _installed() if name in b.kernels]


@cache
def _laws() -> dict[str, Any]:
    return json.loads(LAWS_FILE.read_text(encoding="utf-8"))


@cache
def _installed() -> list[Backend]:
    found = []
    for name in ("numpy", *EXTRAS):
        with suppress(OptionError, ModuleNotFoundError):
            found.append(backend_named(name))
    return found


def table() -> str:
    """The rows under their titles, in columns."""
    cells = [COLUMNS, *rows()]
    widths = [max(len(row[k]) for row in cells) for k in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def legend() -> str:
    """What each law says, on which backends and with which dtypes it is asked for, and why not elsewhere."""
    lines = []
    for name, law in _laws()["laws"].items():
        asked = "; ".join(f"{backend} {dtypes}" for backend, dtypes in law["asked"].items())
        lines.append(f"{name:<12} {law['states']}\n{'':12} {asked}")
        lines += [f"{'':12} not {reason}" for reason in law["reasons"]]
        lines += [f"{'':12} not {_few(names.split())}: {reason}" for reason, names in law["excused"].items()]
    return "\n".join(lines)


def _few(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{len(names)} primitives"


if __name__ == "__main__":
    print(table())
    print(f"\n{len(PRIMITIVES)} primitives\n")
    print(legend())
