"""CSV files with a header line: numbers in every column, one column the target."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from chainrule.base.errors import DataError
from chainrule.data.checks import no_target, same_names
from chainrule.data.dataset import Dataset, from_arrays
from chainrule.data.labels import Task, check_task

DELIMITERS = ",;\t"
GAPS = {"", "na", "n/a", "nan", "null", "?"}  # how a missing value is written, in lower case
MOST_INTEGER_CLASSES = 20  # whole numbers with more different values are taken for a quantity


class Table(NamedTuple):
    """The cells of a file as texts: column names, rows, and the line on which each row ends."""

    path: str
    columns: list[str]
    rows: list[list[str]]
    lines: list[int]


def read_csv(path: str | os.PathLike[str], target: str, *, task: Task | None = None) -> Dataset:
    """A data set from a CSV file; fields are separated by commas, semicolons or tabs (the header line tells).

    All columns but `target` are features and hold numbers. Without `task`, the target column decides:

        a text in it                                           classification, classes in alphabetical order
        only whole numbers, at most 20 different ones,
            each there twice or more on average                classification, classes in numerical order
        all else                                               regression

    Raises:
        DataError: no file, nothing in it, no header line, no target column, a row with too many or too few
            fields, a text in a number column, a missing value; line and column are named.
    """
    if task is not None:
        check_task(task)
    table = read_table(path)
    if target not in table.columns:
        raise without_target(table, target)
    features = [column for column in table.columns if column != target]
    if not features:
        raise DataError(f"There is no column but the target {target!r}.", file=table.path)
    x = numbers(table, features)
    cells = column(table, target)
    name = Path(path).stem
    if (task or task_of(cells)) == "regression":
        y = numbers(table, [target])[:, 0]
        return from_arrays(x, y, name=name, task="regression", feature_names=features)
    return from_arrays(x, np.array(cells), name=name, feature_names=features, class_names=class_names(cells))


def read_features(path: str | os.PathLike[str], feature_names: Sequence[str], target: str | None = None) -> np.ndarray:
    """Inputs for a prediction, shape (n, features) in float64, columns in the order of `feature_names`.

    The file has the columns of the training file in any order; the target column may be there, and is
    left out.

    Raises:
        DataError: columns that are missing or that training did not have, and what `read_csv` raises.
    """
    table = read_table(path)
    missing = [name for name in feature_names if name not in table.columns]
    extra = [name for name in table.columns if name not in feature_names and name != target]
    if missing or extra:
        places = {"missing": ", ".join(missing)} if missing else {}
        places |= {"extra": ", ".join(extra)} if extra else {}
        raise DataError(
            "The columns are not those of the training data.",
            file=table.path,
            **places,
            fix="give the columns of the training file, with the same names",
        )
    return numbers(table, feature_names)


def without_target(table: Table, target: str) -> DataError:
    """The message for a file without the target column: where names are numbers, the header line is missing."""
    error = no_target(target, table.columns, file=table.path)
    if any(is_number(name) for name in table.columns):
        error.places["try"] = "add a header line: the first line seems to hold data"
    return error


def task_of(cells: Sequence[str]) -> Task:
    """The task that the texts of a target column suggest; the rule is in `read_csv`."""
    if not all(is_number(cell) for cell in cells):
        return "classification"
    different = len(set(cells))
    whole = all(cell.lstrip("+-").isdecimal() for cell in cells)
    few = different <= MOST_INTEGER_CLASSES and 2 * different <= len(cells)
    return "classification" if whole and few else "regression"


def class_names(cells: Sequence[str]) -> list[str]:
    """The different texts, in numerical order where all are numbers, else in that of the alphabet."""
    names = set(cells)
    return sorted(names, key=float) if all(is_number(name) for name in names) else sorted(names)


def is_number(text: str) -> bool:
    """Whether a text is a number as people write them (Python would take 1_000 too)."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def read_table(path: str | os.PathLike[str]) -> Table:
    """The cells of a CSV file, with as many in each row as in the header line."""
    place = os.fspath(path)
    try:
        return checked(place, records(Path(path).read_bytes().decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        headline, cause, fix = "is not UTF-8 text", f"{error.reason} on line {line}", "save the file as UTF-8"
    except csv.Error as error:
        headline, cause, fix = "is not a CSV file", str(error), "check the quotation marks"
    except OSError as error:
        headline, cause, fix = "could not be read", error.strerror or str(error), "check the path"
    raise DataError(f"{Path(path).name} {headline}.", file=place, cause=cause, fix=fix)


def records(text: str) -> list[tuple[int, list[str]]]:
    """The fields of each line that is not blank, with the number of the line."""
    lines = list(io.StringIO(text, newline=""))
    first = [line for line in lines if line.strip()][:1]
    delimiter = max(DELIMITERS, key=lambda mark: max(map(len, csv.reader(first, delimiter=mark)), default=0))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    stripped = ((reader.line_num, [cell.strip() for cell in row]) for row in reader)
    return [(line, cells) for line, cells in stripped if cells not in ([], [""])]


def checked(place: str, numbered: list[tuple[int, list[str]]]) -> Table:
    """A table with a header line, at least one row, and rows of one length."""
    if not numbered:
        raise DataError(f"{Path(place).name} is empty.", file=place)
    columns = numbered[0][1]
    check_header(place, columns)
    if len(numbered) == 1:
        raise DataError(f"{Path(place).name} has a header line, but no rows.", file=place)
    for line, row in numbered[1:]:
        if len(row) != len(columns):
            fix = "check the separators on this line; quote a text that holds one"
            raise DataError(
                f"Line {line} has {len(row)} fields, the header line has {len(columns)}.", file=place, fix=fix
            )
    return Table(place, columns, [row for _, row in numbered[1:]], [line for line, _ in numbered[1:]])


def check_header(place: str, columns: list[str]) -> None:
    """The first line names every column, each by a name of its own."""
    if all(is_number(column) for column in columns):
        headline = f"The first line holds numbers ({columns[0]}, ...), not the names of the columns."
        raise DataError(headline, file=place, fix="add a header line")
    for number, name in enumerate(columns):
        if not name:
            fix = "name it, or drop it (is an index column left in the data?)"
            raise DataError(f"Column {number + 1} has no name.", file=place, fix=fix)
        if name in columns[:number]:
            raise same_names(columns, number, file=place)


def column(table: Table, name: str) -> list[str]:
    """The cells of one column, none of them missing."""
    position = table.columns.index(name)
    cells = [row[position] for row in table.rows]
    gaps = [line for cell, line in zip(cells, table.lines, strict=True) if cell.lower() in GAPS]
    if gaps:
        found = "A value is" if len(gaps) == 1 else f"{len(gaps)} values are"
        raise DataError(
            f"{found} missing in column {name!r}.",
            file=table.path,
            where=f"line {gaps[0]}" + (" is the first" if len(gaps) > 1 else ""),
            fix="fill it in, or delete the line",
        )
    return cells


def numbers(table: Table, names: Sequence[str]) -> np.ndarray:
    """Columns as numbers, shape (rows, columns) in float64."""
    return np.stack([number_column(table, name) for name in names], axis=1)


def number_column(table: Table, name: str) -> np.ndarray:
    """One column as finite numbers."""
    cells = column(table, name)
    for cell, line in zip(cells, table.lines, strict=True):
        if not is_number(cell) or not math.isfinite(float(cell)):
            raise no_number(table, name, cell, line, whole_column=not any(map(is_number, cells)))
    return np.array([float(cell) for cell in cells])


def no_number(table: Table, name: str, cell: str, line: int, whole_column: bool) -> DataError:
    """The message for a cell that is not a finite number."""
    if is_number(cell.replace(",", ".")) and not is_number(cell):
        fix = f"write decimals with a point: {cell.replace(',', '.')}"
    elif whole_column:
        fix = "the whole column is text: leave it out, or write its categories as numbers"
    else:
        fix = "correct it, or delete the line"
    headline = f"Column {name!r} needs finite numbers, got {cell!r}."
    return DataError(headline, file=table.path, where=f"line {line}", fix=fix)
