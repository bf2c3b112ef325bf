"""What a person reads whose file is missing, damaged, or not what it should be: the whole text."""

from __future__ import annotations

import errno
import gzip
import json
import os
import struct
import zlib

import numpy as np
import pytest

from chainrule.base.errors import CheckpointError, DataError
from chainrule.base.files import read_arrays, read_json, write_arrays, write_atomically
from chainrule.data import mnist, read_csv, read_features, read_idx

NO_FILE = "  cause   No such file or directory\n  try     check the path"


def message(kind, action, *arguments, **options):
    with pytest.raises(kind) as caught:
        action(*arguments, **options)
    assert type(caught.value) is kind
    return str(caught.value)


# --- writing -----------------------------------------------------------------------------------------------


def test_a_full_disk(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "last.safetensors"
    monkeypatch.setattr(os, "fsync", full)
    assert message(CheckpointError, write_arrays, path, {}) == (
        "last.safetensors could not be written.\n"
        f"  file    {path}\n"
        "  cause   No space left on device\n"
        "  try     free some space on this disk, or save to another one"
    )
    path.write_bytes(b"old")
    assert message(CheckpointError, write_arrays, path, {}) == (
        "last.safetensors could not be written.\n"
        f"  file    {path}\n"
        "  cause   No space left on device\n"
        "  kept    the old file is as it was\n"
        "  try     free some space on this disk, or save to another one"
    )


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "run").write_bytes(b"")
    path = tmp_path / "run" / "history.json"
    assert message(CheckpointError, write_atomically, path, b"") == (
        "history.json could not be written.\n"
        f"  file    {path}\n"
        "  cause   File exists\n"
        "  try     choose another folder: a part of this path is a file"
    )


def test_a_folder_where_a_file_should_be(tmp_path):
    assert message(CheckpointError, write_atomically, tmp_path, b"") == (
        f"{tmp_path.name} could not be written.\n"
        f"  file    {tmp_path}\n"
        "  cause   Is a directory\n"
        "  try     choose another name: this one is a folder"
    )
    assert list(tmp_path.parent.glob(".*.tmp")) == []


# --- JSON --------------------------------------------------------------------------------------------------

JSON_FIX = "  try     restore the file from a copy, or delete it and run again"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b'{\n "loss": 0.5\n "epoch": 3\n}', "line 3, column 2: Expecting ',' delimiter"),
        (b'{\n "loss": [0.5,', "line 2, column 15: Expecting value"),
        (b"", "line 1, column 1: Expecting value"),
        (b'{\n "n": 1,\n "name": "\xff"}', "line 3: byte 0xff is not UTF-8 text"),
    ],
)
def test_corrupted_json(tmp_path, content, cause):
    path = tmp_path / "history.json"
    path.write_bytes(content)
    assert message(CheckpointError, read_json, path) == (
        f"history.json could not be read.\n  file    {path}\n  cause   {cause}\n{JSON_FIX}"
    )


@pytest.mark.parametrize("reader", [read_json, read_arrays])
def test_a_missing_file(tmp_path, reader):
    path = tmp_path / "absent"
    assert message(CheckpointError, reader, path) == (f"absent could not be read.\n  file    {path}\n{NO_FILE}")


# --- arrays ------------------------------------------------------------------------------------------------


def header(entries) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text


def arrays_message(path, cause):
    return (
        f"{path.name} could not be read.\n"
        f"  file    {path}\n"
        f"  cause   {cause}\n"
        "  try     take an older checkpoint, or write this one again"
    )


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "it is 0 bytes long; even an empty safetensors file has 8"),
        (header({})[:9], "it is 9 bytes long, its header should be 10: cut short, or not a safetensors file"),
        (struct.pack("<Q", 3) + b"{[}", "its header is not that of a safetensors file"),
        (struct.pack("<Q", 2) + b"[]", "its header is not that of a safetensors file"),
        (
            header({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}) + bytes(7),
            "it is 76 bytes long, but its header announces 77",
        ),
    ],
    ids=["empty", "cut in the header", "no JSON", "another JSON", "cut in the arrays"],
)
def test_a_file_of_arrays_that_is_cut_short_or_none(tmp_path, content, cause):
    path = tmp_path / "last.safetensors"
    path.write_bytes(content)
    assert message(CheckpointError, read_arrays, path) == arrays_message(path, cause)


def test_a_changed_byte(tmp_path):
    path = tmp_path / "last.safetensors"
    write_arrays(path, {"w": np.zeros(2, np.float32)})
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    before, after = (zlib.crc32(b"{}w float32 (2,)" + bytes(7) + last) for last in (b"\0", b"\1"))
    cause = f"its contents have the checksum {after:08x}, but were written with {before:08x}"
    assert message(CheckpointError, read_arrays, path) == arrays_message(path, cause)


def test_what_only_the_library_finds_is_passed_on(tmp_path):
    path = tmp_path / "last.safetensors"
    path.write_bytes(header({"w": {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]}}) + bytes(8))
    text = message(CheckpointError, read_arrays, path)
    assert text.startswith(f"last.safetensors could not be read.\n  file    {path}\n  cause   ")
    assert "F99" in text  # the words are the library's, and differ between its versions


# --- CSV ---------------------------------------------------------------------------------------------------

CSV = {
    "empty": ("", "t.csv is empty.\n  file    {path}"),
    "only a header": ("a,y\n", "t.csv has a header line, but no rows.\n  file    {path}"),
    "no header": (
        "1.5,2\n3,4\n",
        "The first line holds numbers (1.5, ...), not the names of the columns.\n"
        "  file    {path}\n  try     add a header line",
    ),
    "no header, but a text": (
        "1.5,cat\n3,dog\n",
        "There is no column 'y'.\n  file    {path}\n  columns 1.5, cat\n"
        "  try     add a header line: the first line seems to hold data",
    ),
    "column without a name": (
        ",a,y\n0,1,2\n",
        "Column 1 has no name.\n  file    {path}\n  try     name it, or drop it (is an index column left in the data?)",
    ),
    "two columns of one name": (
        "a,b,a,y\n1,2,3,4\n",
        "Columns 1 and 3 have the same name 'a'.\n  file    {path}\n  try     rename one of them",
    ),
    "no target": (
        "width,speceis,height\n1,2,3\n",
        "There is no column 'y'.\n  file    {path}\n  columns width, speceis, height\n"
        "  try     name one of these columns as the target",
    ),
    "nothing but the target": ("y\n1\n", "There is no column but the target 'y'.\n  file    {path}"),
    "ragged": (
        "a,b,y\n1,2,3\n1,2\n",
        "Line 3 has 2 fields, the header line has 3.\n  file    {path}\n"
        "  try     check the separators on this line; quote a text that holds one",
    ),
    "text": (
        "a,b,y\n1,2,u\n\n3,tall,v\n",
        "Column 'b' needs finite numbers, got 'tall'.\n  file    {path}\n  where   line 4\n"
        "  try     correct it, or delete the line",
    ),
    "text throughout": (
        "a,b,y\n1,short,u\n3,tall,v\n",
        "Column 'b' needs finite numbers, got 'short'.\n  file    {path}\n  where   line 2\n"
        "  try     the whole column is text: leave it out, or write its categories as numbers",
    ),
    "decimal comma": (
        "a;y\n1;u\n2,5;v\n",
        "Column 'a' needs finite numbers, got '2,5'.\n  file    {path}\n  where   line 3\n"
        "  try     write decimals with a point: 2.5",
    ),
    "infinite": (
        "a,y\n1,u\ninf,v\n",
        "Column 'a' needs finite numbers, got 'inf'.\n  file    {path}\n  where   line 3\n"
        "  try     correct it, or delete the line",
    ),
    "underscore": (
        "a,y\n1,u\n1_000,v\n",
        "Column 'a' needs finite numbers, got '1_000'.\n  file    {path}\n  where   line 3\n"
        "  try     correct it, or delete the line",
    ),
    "one gap": (
        "a,y\n1,u\nNA,v\n",
        "A value is missing in column 'a'.\n  file    {path}\n  where   line 3\n"
        "  try     fill it in, or delete the line",
    ),
    "several gaps": (
        "a,y\n1,u\n2,\n3,\n",
        "2 values are missing in column 'y'.\n  file    {path}\n  where   line 3 is the first\n"
        "  try     fill it in, or delete the line",
    ),
    "too large": (
        "a,y\n1,u\n1e300,v\n",
        "x holds a value that is too large for float32: 1e+300.\n"
        "  where   row 1, column 0 'a' (counted from 0)\n"
        "  try     scale the column down: float32 ends at 3.4e38",
    ),
    "open quotation": (
        'a,y\n1,"u\n',
        "t.csv is not a CSV file.\n  file    {path}\n  cause   unexpected end of data\n"
        "  try     check the quotation marks",
    ),
}


@pytest.mark.parametrize(("content", "text"), CSV.values(), ids=CSV)
def test_a_csv_file(tmp_path, content, text):
    path = tmp_path / "t.csv"
    path.write_text(content)
    assert message(DataError, read_csv, path, "y") == text.format(path=path)


def test_the_closest_column_is_proposed(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("width,species\n1,2\n")
    assert message(DataError, read_csv, path, "speceis") == (
        f"There is no column 'speceis'.\n  file    {path}\n  columns width, species\n  try     did you mean 'species'?"
    )


def test_texts_cannot_be_regressed_on(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1,2\n2,low\n")
    assert message(DataError, read_csv, path, "y", task="regression") == (
        f"Column 'y' needs finite numbers, got 'low'.\n  file    {path}\n  where   line 3\n"
        "  try     correct it, or delete the line"
    )


def test_a_csv_file_in_another_encoding(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("a,y\n1,u\n2,grün\n".encode("latin-1"))
    assert message(DataError, read_csv, path, "y") == (
        f"t.csv is not UTF-8 text.\n  file    {path}\n  cause   invalid start byte on line 3\n"
        "  try     save the file as UTF-8"
    )


def test_a_csv_file_that_is_not_there(tmp_path):
    path = tmp_path / "t.csv"
    assert message(DataError, read_csv, path, "y") == (f"t.csv could not be read.\n  file    {path}\n{NO_FILE}")


def test_columns_for_a_prediction(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,d,y\n1,2,3\n")
    assert message(DataError, read_features, path, ["a", "b", "c"], target="y") == (
        "The columns are not those of the training data.\n"
        f"  file    {path}\n  missing b, c\n  extra   d\n"
        "  try     give the columns of the training file, with the same names"
    )


# --- idx ---------------------------------------------------------------------------------------------------

START = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])  # bytes in 2 rows of 3
AGAIN = "  try     copy or download the file again"
IDX = {
    "cut short": (
        START + bytes(5),
        "f.idx is cut short: 5 bytes of data, 6 expected.\n"
        "  file    {path}\n  sizes   2 × 3\n  dtype   uint8\n" + AGAIN,
    ),
    "too long": (
        START + bytes(7),
        "f.idx is too long: 7 bytes of data, 6 expected.\n  file    {path}\n  sizes   2 × 3\n  dtype   uint8\n" + AGAIN,
    ),
    "cut in the header": (
        START[:9],
        "f.idx is cut short: 9 bytes, its header alone has 12.\n  file    {path}\n" + AGAIN,
    ),
    "magic number": (
        b"\x89PNG\r\n",
        "f.idx is not an idx file: it starts with 89 50 4e 47.\n  file    {path}\n"
        "  try     idx files start 00 00, a code for the dtype (08 = bytes), and the number of axes",
    ),
    "dtype code": (
        bytes([0, 0, 7, 1, 0, 0, 0, 0]),
        "f.idx is not an idx file: it starts with 00 00 07 01.\n  file    {path}\n"
        "  try     idx files start 00 00, a code for the dtype (08 = bytes), and the number of axes",
    ),
    "empty": (
        b"",
        "f.idx is not an idx file: it starts with nothing (it is empty).\n  file    {path}\n"
        "  try     idx files start 00 00, a code for the dtype (08 = bytes), and the number of axes",
    ),
    "packed and cut short": (
        gzip.compress(START + bytes(6))[:-9],
        "f.idx could not be unpacked.\n  file    {path}\n"
        "  cause   Compressed file ended before the end-of-stream marker was reached\n" + AGAIN,
    ),
}


@pytest.mark.parametrize(("content", "text"), IDX.values(), ids=IDX)
def test_an_idx_file(tmp_path, content, text):
    path = tmp_path / "f.idx"
    path.write_bytes(content)
    assert message(DataError, read_idx, path) == text.format(path=path)


def test_an_idx_file_with_a_changed_byte(tmp_path):
    path = tmp_path / "f.idx"
    packed = bytearray(gzip.compress(START + bytes(6)))
    packed[-8] ^= 1  # of the checksum
    path.write_bytes(packed)
    assert message(DataError, read_idx, path) == (
        f"f.idx could not be unpacked.\n  file    {path}\n  cause   CRC check failed\n{AGAIN}"
    )


def test_an_idx_file_that_is_not_there(tmp_path):
    path = tmp_path / "f.idx"
    assert message(DataError, read_idx, path) == (f"f.idx could not be read.\n  file    {path}\n{NO_FILE}")


# --- MNIST -------------------------------------------------------------------------------------------------


def write_mnist(folder, images=(2, 28, 28), labels=(0, 1)):
    for part in ("train", "t10k"):
        start = bytes([0, 0, 8, 3]) + struct.pack(">3I", *images)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(start + bytes(int(np.prod(images))))
        start = bytes([0, 0, 8, 1]) + struct.pack(">I", len(labels))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(start + bytes(labels))


def test_mnist_files_that_are_not_there(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    (tmp_path / "t10k-images-idx3-ubyte").unlink()
    assert message(DataError, mnist, tmp_path) == (
        "2 of the 4 MNIST files are not in the folder.\n"
        f"  folder  {tmp_path}\n"
        "  missing train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz\n"
        "  try     name the folder that has them (--data DIR), or fetch them with cr.data.download_mnist(DIR)"
    )


def test_mnist_images_of_another_size(tmp_path):
    write_mnist(tmp_path, images=(2, 16, 28))
    assert message(DataError, mnist, tmp_path) == (
        "MNIST images are n × 28 × 28, train-images-idx3-ubyte holds 2 × 16 × 28.\n"
        f"  file    {tmp_path / 'train-images-idx3-ubyte'}"
    )


def test_mnist_labels_that_do_not_match(tmp_path):
    write_mnist(tmp_path, labels=(0, 1, 2))
    assert message(DataError, mnist, tmp_path) == (
        "There are 2 images, but 3 labels.\n"
        f"  images  {tmp_path / 'train-images-idx3-ubyte'}\n"
        f"  labels  {tmp_path / 'train-labels-idx1-ubyte'}\n"
        "  try     take both files from the same source"
    )


def test_mnist_labels_out_of_range(tmp_path):
    write_mnist(tmp_path, labels=(0, 10))
    assert message(DataError, mnist, tmp_path) == (
        "Label 10 is outside 0 to 9, the range of 10 classes.\n"
        f"  file    {tmp_path / 'train-labels-idx1-ubyte'}\n"
        "  where   row 1 (counted from 0)\n"
        "  count   1 of 2 labels\n"
        "  try     class labels count from 0: subtract 1 if yours count from 1, "
        "or name them all in class_names"
    )
