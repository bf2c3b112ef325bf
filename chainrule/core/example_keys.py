"""The key of the random stream where every example of `vmap` has a stream of its own."""

from __future__ import annotations

from typing import Any

from chainrule.base.errors import OptionError
from chainrule.base.keys import Hole, Key


class ExampleKey:
    """One key for each example: `template` with holes, and for each hole a tensor with one number an example.

    The numbers are tensors like all others, so that they are followed through transformations: a draw is an
    operation on them (`ops.streams`).
    """

    def __init__(self, template: Key, numbers: tuple[Any, ...]) -> None:
        self.template, self.numbers = template, numbers

    def __truediv__(self, part: str | int) -> ExampleKey:
        return ExampleKey(self.template / part, self.numbers)

    def generator(self) -> Any:
        """There is none for all examples together.

        Raises:
            OptionError: always.
        """
        raise OptionError(
            "Numbers for all examples were drawn where every example of vmap has its own stream.",
            cause="a layer is made, or a generator asked for, inside the function",
            fix='make layers outside of it, or randomness="same"',
        )


def for_each(key: Key | ExampleKey, numbers: Any) -> ExampleKey:
    """`key / "example" / k` for the example of number k."""
    template, before = _apart(key)
    return ExampleKey(template / "example" / Hole(len(before)), (*before, numbers))


def with_seeds(key: Key | ExampleKey, seeds: Any) -> ExampleKey:
    """The key with a seed of its own for each example in place of the one it has."""
    template, before = _apart(key)
    return ExampleKey(Key(Hole(len(before)), template.path), (*before, seeds))


def _apart(key: Key | ExampleKey) -> tuple[Key, tuple[Any, ...]]:
    return (key.template, key.numbers) if isinstance(key, ExampleKey) else (key, ())
