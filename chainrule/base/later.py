"""Names of a package that are imported when they are first used, so that importing the package stays light.

    later(__name__, {"lookup": "embedding take_along_axis", "fourier": "rfft irfft"})

Type checkers read the same imports under `if TYPE_CHECKING`; a test holds the two equal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from chainrule.base.hints import missing


class LightPackage(ModuleType):
    """A package that knows which file defines a name, and imports that file when the name is first used.

    A function may be called like its file (`einsum` in einsum.py): the name is the function's.
    """

    files_by_name: Mapping[str, str]
    rooms: frozenset[str]

    def __getattr__(self, name: str) -> Any:
        if name in self.rooms:
            return import_module(f"{self.__name__}.{name}")
        if name not in self.files_by_name:
            raise missing(self.__name__.replace("chainrule", "cr", 1), name)
        file = import_module(f"{self.__name__}.{self.files_by_name[name]}")
        self.__dict__[name] = getattr(file, name)
        return self.__dict__[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in self.files_by_name):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self.files_by_name, *self.rooms})


def later(package: str, files: Mapping[str, str], rooms: Iterable[str] = ()) -> ModuleType:
    """The package, which from now on imports these names, separated by spaces, from these files when they are used.

    Args:
        package: its `__name__`.
        files: names by the file, or the package below, that defines them.
        rooms: packages below that are imported when they are first used.
    """
    module = sys.modules[package]
    module.__class__ = LightPackage
    module.__dict__["files_by_name"] = {name: file for file, names in files.items() for name in names.split()}
    module.__dict__["rooms"] = frozenset(rooms)
    return module
