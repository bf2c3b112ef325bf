"""Random draws as a function of (seed, step, path): any moment of a run can be made again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Key:
    """A name for one stream of random numbers; `key / "part"` names a stream of its own.

    The stream is Philox (Salmon et al. 2011), a counter-based generator, keyed by a 128-bit hash of the
    seed and the path; equal keys give equal numbers on every machine.

    >>> (Key(0) / "weights" / 3).generator().standard_normal() == (Key(0) / "weights" / 3).generator().standard_normal()
    True
    """

    seed: int
    path: tuple[str | int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", int(self.seed))  # a NumPy integer names the same stream

    def __truediv__(self, part: str | int) -> Key:
        return Key(self.seed, (*self.path, part))

    def generator(self) -> np.random.Generator:
        """A NumPy generator at the start of this key's stream."""
        digest = hashlib.blake2b(repr((self.seed, self.path)).encode(), digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=np.frombuffer(digest, dtype=np.uint64)))
