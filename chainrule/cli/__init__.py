"""Asking: train, predict, explain, summary, from a terminal."""

from __future__ import annotations

import sys


def main() -> None:
    """The entry point of the command `chainrule`."""
    from chainrule.base.errors import ChainruleError
    from chainrule.cli.commands import chainrule

    try:
        chainrule.main(standalone_mode=True)
    except ChainruleError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)


__all__ = ["main"]
