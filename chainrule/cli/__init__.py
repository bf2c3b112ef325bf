"""Asking: train, predict, explain, summary, from a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

INTERRUPTED = 130
"""The exit status that shells give to a command ended by Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The command `chainrule`. Exit status: 0, 1 for an error, 2 for a wrong call, 130 for Ctrl-C."""
    import click

    from chainrule.base.errors import ChainruleError
    from chainrule.cli.commands import chainrule

    try:
        chainrule.main(arguments, prog_name="chainrule", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ChainruleError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)


__all__ = ["INTERRUPTED", "main"]
