"""Modules and parameters kept together under numbers or names.

Plain lists and dicts do the same here; these have PyTorch's names, for those who look for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chainrule.base.errors import OptionError
from chainrule.nn.module import Module
from chainrule.nn.parameter import Parameter


class ModuleList(Module):
    """Modules under their numbers, without a `forward` of their own; a plain list is as good.

    >>> import chainrule as cr
    >>> layers = cr.nn.ModuleList(cr.nn.Linear(2, 2) for _ in range(3))
    >>> len(layers), [name for name, _ in layers[:1].named_parameters()]
    (3, ['0.weight', '0.bias'])

    Raises:
        OptionError: an entry is no module.
    """

    kind: type = Module

    def __init__(self, entries: Iterable[Any] = ()) -> None:
        self.extend(entries)

    def append(self, entry: Any) -> ModuleList:
        """One more at the end; returns itself."""
        self[len(self)] = entry
        return self

    def extend(self, entries: Iterable[Any]) -> ModuleList:
        """Several more at the end; returns itself."""
        for entry in entries:
            self.append(entry)
        return self

    def __setitem__(self, i: int, entry: Any) -> None:
        if not isinstance(entry, self.kind):
            raise OptionError(
                f"{type(self).__name__} holds objects of {self.kind.__name__}, entry {i} is of {type(entry).__name__}."
            )
        setattr(self, str(i if i >= 0 else len(self) + i), entry)

    def __getitem__(self, i: int | slice) -> Any:
        return type(self)(list(self)[i]) if isinstance(i, slice) else list(self)[i]

    def __iter__(self) -> Iterator[Any]:
        return (part for name, part in self._parts() if name.isdigit())

    def __len__(self) -> int:
        return sum(1 for _ in self)


class ParameterList(ModuleList):
    """Parameters under their numbers; a plain list is as good."""

    kind = Parameter


class ModuleDict(Module):
    """Modules under their names, without a `forward` of their own; a plain dict is as good.

    Raises:
        OptionError: an entry is no module, or its name is that of a method.
    """

    def __init__(self, entries: Mapping[str, Module] | None = None) -> None:
        for name, entry in (entries or {}).items():
            self[name] = entry

    def __setitem__(self, name: str, entry: Module) -> None:
        if not isinstance(entry, Module):
            raise OptionError(f"ModuleDict holds modules, {name!r} is of {type(entry).__name__}.")
        if name in vars(type(self)):
            raise OptionError(f"{name!r} is a method of ModuleDict and cannot be the name of a part.")
        setattr(self, name, entry)

    def __getitem__(self, name: str) -> Module:
        return dict(self.items())[name]

    def __contains__(self, name: object) -> bool:
        return any(n == name for n, _ in self.items())

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.items())

    def __len__(self) -> int:
        return sum(1 for _ in self.items())

    def keys(self) -> list[str]:
        """The names."""
        return [name for name, _ in self.items()]

    def values(self) -> list[Module]:
        """The modules."""
        return [part for _, part in self.items()]

    def items(self) -> list[tuple[str, Any]]:
        """Names and modules."""
        return list(self._parts())
