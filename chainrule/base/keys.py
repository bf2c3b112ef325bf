"""Random draws as a function of (seed, step, path): any moment of a run can be made again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Hole:
    """The place in a key of a number that is not known yet: the one with this position among several."""

    position: int


@dataclass(frozen=True)
class Key:
    """A name for one stream of random numbers; `key / "part"` names a stream of its own.

    The stream is Philox (Salmon et al. 2011), a counter-based generator, keyed by a 128-bit hash of the
    seed and the path; equal keys give equal numbers on every machine.

    >>> (Key(0) / "weights" / 3).generator().standard_normal() == (Key(0) / "weights" / 3).generator().standard_normal()
    True
    """

    seed: int | Hole
    path: tuple[str | int | Hole, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.seed, Hole):
            object.__setattr__(self, "seed", int(self.seed))  # a NumPy integer names the same stream

    def __truediv__(self, part: str | int | Hole) -> Key:
        return Key(self.seed, (*self.path, part))

    def filled(self, numbers: Sequence[int]) -> Key:
        """The key with numbers in its holes."""
        seed = numbers[self.seed.position] if isinstance(self.seed, Hole) else self.seed
        return Key(seed, tuple(numbers[p.position] if isinstance(p, Hole) else p for p in self.path))

    def generator(self) -> np.random.Generator:
        """A NumPy generator at the start of this key's stream."""
        digest = hashlib.blake2b(repr((self.seed, self.path)).encode(), digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=np.frombuffer(digest, dtype=np.uint64)))
