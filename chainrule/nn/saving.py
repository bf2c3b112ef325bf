"""Weights in a file, and back."""

from __future__ import annotations

import os
from typing import TypeVar

from chainrule.base.files import read_arrays, write_arrays
from chainrule.nn.module import Module

Kind = TypeVar("Kind", bound=Module)


def save(module: Module, path: str | os.PathLike[str]) -> None:
    """Write all parameters and buffers to a safetensors file, atomically and with a checksum.

    Raises:
        CheckpointError: the file could not be written; an old one is as it was.
    """
    write_arrays(path, module.state_dict())


def load(module: Kind, path: str | os.PathLike[str]) -> Kind:
    """Read what `save` wrote (or any safetensors file with the same names) into a module; returns the module.

    Raises:
        CheckpointError: the file is missing or damaged.
        OptionError: the names are not those of this module.
        ShapeError: an array has another shape.
    """
    module.load_state_dict(read_arrays(path)[0])
    return module
