"""Help in sections: options by what they are about, with the names that the library knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from chainrule.cli.names import names_of

Lines = Callable[[], Iterable[tuple[str, str]]]


class Count(click.ParamType):
    """A whole number of at least so many."""

    name = "N"

    def __init__(self, least: int = 1) -> None:
        self.least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = click.INT.convert(value, param, ctx)
        if number < self.least:
            self.fail(f"it is at least {self.least}, got {number}.", param, ctx)
        return number


class Option(click.Option):
    """An option in a section of the help; `{}` in its help stands for the names that its table holds."""

    def __init__(self, *declarations: Any, section: str, **settings: Any) -> None:
        super().__init__(*declarations, **settings)
        self.section = section

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        if record is None or "{}" not in record[1]:
            return record
        return record[0], record[1].format(", ".join(names_of(self.name or "")))


class Sectioned(click.Command):
    """A command whose help has a section for each `section` of its options, and sections of explanation."""

    def __init__(self, *arguments: Any, explained: dict[str, Lines], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.explained = explained

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(parameter, "section", "Run"), []).append(record)
        sections |= {title: list(lines()) for title, lines in self.explained.items()}
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)
