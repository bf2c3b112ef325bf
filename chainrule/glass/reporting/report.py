"""Report: a page about a run, ready to be saved or shown."""

from __future__ import annotations

import os
from functools import cached_property

from chainrule.base.errors import OptionError
from chainrule.base.files import write_atomically
from chainrule.glass.reporting.page import page
from chainrule.glass.reporting.subject import Subject


class Report:
    """A page about a run. `html` is the page, `save` writes it; a notebook links to nothing and shows its title."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    @cached_property
    def html(self) -> str:
        """The page: one file that needs no other, no scripts and no network."""
        return page(self.subject)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page, atomically.

        Raises:
            OptionError: the path does not end in .html.
            CheckpointError: the file could not be written.
        """
        ending = os.path.splitext(os.fspath(path))[1]
        if ending.lower() not in (".html", ".htm"):
            raise OptionError(
                f"A report is saved as HTML, not as {ending or 'a file without ending'}.",
                path=os.fspath(path),
                fix=os.path.splitext(os.fspath(path))[0] + ".html",
            )
        write_atomically(path, self.html.encode())

    def __repr__(self) -> str:
        return f"<Report on {self.subject.title}>"
