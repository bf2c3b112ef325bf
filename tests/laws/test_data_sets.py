"""A Dataset is the same data, however it comes: arrays, lists, frames, CSV, idx, packed or plain."""

from __future__ import annotations

import gzip
import hashlib
import struct
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chainrule.base.errors import DataError
from chainrule.data import (
    EMBEDDED,
    Dataset,
    Standardize,
    download_mnist,
    from_arrays,
    from_frame,
    mnist,
    read_csv,
    read_features,
    read_idx,
)

SIZES = {  # examples, features, classes
    "digits": (1797, 64, 10),
    "iris": (150, 4, 3),
    "wine": (178, 13, 3),
    "breast_cancer": (569, 30, 2),
    "diabetes": (442, 10, 0),
}
CODES = {"u1": 0x08, "i1": 0x09, ">i2": 0x0B, ">i4": 0x0C, ">f4": 0x0D, ">f8": 0x0E}


def idx(array: np.ndarray, code: int = 0x08) -> bytes:
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


# --- sets --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_sets_have_the_sizes_they_state(name):
    data = EMBEDDED[name]()
    assert (len(data), data.n_features, data.n_classes) == SIZES[name]
    assert data.name == name
    assert len(data.feature_names) == data.n_features
    assert (data.x.dtype, data.y.dtype) == (np.float32, np.int64 if data.n_classes else np.float32)


def test_digits_are_grey_values_from_0_to_1():
    x = EMBEDDED["digits"]().x
    assert (x.min(), x.max()) == (0, 1)


def test_diabetes_is_in_its_own_units():
    data = EMBEDDED["diabetes"]()
    ages = data.x[:, data.feature_names.index("age")]
    assert (ages.min(), ages.max()) == (19, 79)


def test_reading_needs_neither_scikit_learn_nor_pandas():
    import subprocess

    code = (
        "import sys, chainrule.data; print([m for m in ('sklearn', 'pandas', 'scipy', 'urllib.request', "
        "'safetensors') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


@given(y=st.lists(st.sampled_from(["pear", "apple", "fig"]), min_size=1))
def test_texts_are_numbered_by_the_alphabet(y):
    data = from_arrays(np.zeros((len(y), 1)), y)
    assert data.class_names == tuple(sorted(set(y)))
    assert [data.class_names[label] for label in data.y] == y


@pytest.mark.parametrize(
    ("y", "task", "labels", "names"),
    [
        ([0, 2, 1], "classification", [0, 2, 1], ("0", "1", "2")),
        ([True, False, True], "classification", [1, 0, 1], ("False", "True")),
        ([0.0, 2.0, 1.0], "regression", [0, 2, 1], ()),
        (np.array(["b", "a", "b"], dtype=object), "classification", [1, 0, 1], ("a", "b")),
        (np.array([b"b", b"a", b"b"]), "classification", [1, 0, 1], ("a", "b")),
        (np.array([[0], [1], [0]]), "classification", [0, 1, 0], ("0", "1")),
        (np.array([3, 0, 1], dtype=np.uint8), "classification", [3, 0, 1], ("0", "1", "2", "3")),
    ],
)
def test_the_task_follows_from_the_targets(y, task, labels, names):
    data = from_arrays([[0], [1], [2]], y)
    assert (data.task, data.y.tolist(), data.class_names) == (task, labels, names)


def test_the_task_can_be_said():
    assert from_arrays([[0], [1]], [3, 5], task="regression").y.tolist() == [3.0, 5.0]
    assert from_arrays([[0], [1]], [0.0, 1.0], task="classification").y.dtype == np.int64
    assert from_arrays([[0], [1]], ["b", "a"], class_names=["b", "a", "c"]).y.tolist() == [0, 1]


@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "f2", "f4", "i4", "i8", "f8"])
def test_numbers_are_kept_exactly(dtype):
    """float32 where it holds every number of the dtype, float64 for the rest."""
    x = np.array([[0], [1], [1]], dtype)
    data = from_arrays(x, x[:, 0].astype(dtype), task="regression")
    kept = np.float32 if dtype in ("?", "u1", "i2", "f2", "f4") else np.float64
    assert data.x.dtype == data.y.dtype == kept
    assert data.narrowed(np.float32).x.dtype == data.narrowed(np.float32).y.dtype == np.float32
    assert (data.narrowed(np.float64) is data, data.narrowed(np.float32) is data) == (True, kept is np.float32)


def test_large_offsets_survive_until_they_are_scaled():
    seconds = 1.7e9 + np.arange(10.0)[:, None]
    data = from_arrays(seconds, 1e9 + np.arange(10) / 2)
    np.testing.assert_array_equal(data.x, seconds)
    scaled = from_arrays(Standardize().fit(data.x).transform(data.x), np.arange(10.0))
    assert len(np.unique(scaled.narrowed(np.float32, check=True).x)) == 10
    whole = seconds.astype(np.int64)
    assert len(np.unique(Standardize().fit(whole).transform(whole))) == 10


@pytest.mark.parametrize(
    "column",
    [
        [0.1 + 0.2, 0.3, 0.3],  # constant, up to rounding
        [2.0**30, 2.0**30 + 128, 2.0**30],  # float32 holds these
        [1990.0, 1991.5, 2024.0],
        [1.0, 1.0, 1.0],
        [-1e-30, 0.0, 1e30],
    ],
)
def test_columns_that_float32_does_not_destroy(column):
    data = from_arrays(np.array(column)[:, None], [0.0, 1.0, 2.0])
    assert data.narrowed(np.float32, check=True).x.dtype == np.float32


def test_frames_with_numbers_for_names():
    pandas = pytest.importorskip("pandas")
    data = from_frame(pandas.DataFrame([[1.0, 2.0, 0], [3.0, 4.0, 1]]), 2)
    assert (data.x.tolist(), data.feature_names) == ([[1, 2], [3, 4]], ("0", "1"))


def test_take_keeps_names_and_order():
    data = EMBEDDED["iris"]()
    part = data.take([149, 0])
    np.testing.assert_array_equal(part.x, data.x[[149, 0]])
    assert (part.y.tolist(), part.class_names, part.feature_names) == (
        [2, 0],
        data.class_names,
        data.feature_names,
    )
    assert len(data.take(data.y == 1)) == 50


def test_a_dataset_cannot_be_reassigned():
    with pytest.raises(AttributeError):
        EMBEDDED["iris"]().x = np.zeros((1, 1))  # pyright: ignore[reportAttributeAccessIssue]


def test_large_finite_numbers_pass():
    largest = np.finfo(np.float32).max
    assert len(Dataset(np.full((3, 2), largest), np.zeros(3, np.int64))) == 3  # their sum is infinite


# --- frames ------------------------------------------------------------------------------------------------


def test_a_frame_is_its_arrays():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "kind": ["x", "y"], "b": [0.5, 1.5], "c": [True, False]})
    data = from_frame(frame, "kind")
    assert data.x.tolist() == [[1, 0.5, 1], [2, 1.5, 0]]
    assert (data.y.tolist(), data.class_names, data.feature_names) == ([0, 1], ("x", "y"), ("a", "b", "c"))
    assert from_frame(frame.astype({"kind": "category"}), "kind").class_names == ("x", "y")
    assert from_frame(frame.drop(columns="kind"), "b").task == "regression"
    assert from_frame(frame.drop(columns="kind").astype({"a": "Int64"}), "c").x.tolist() == [
        [1, 0.5],
        [2, 1.5],
    ]


# --- CSV ---------------------------------------------------------------------------------------------------

TABLES = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


@given(x=TABLES, mark=st.sampled_from(",;\t"), newline=st.sampled_from(["\n", "\r\n"]), bom=st.booleans())
def test_csv_round_trip(tmp_path_factory, x, mark, newline, bom):
    path = tmp_path_factory.getbasetemp() / "table.csv"
    names = [f"c{k}" for k in range(x.shape[1])]
    lines = [
        mark.join([*names, "y"]),
        *(mark.join([*map(repr, row), "yes"]) for row in x.astype(float).tolist()),
    ]
    path.write_bytes(("\ufeff" * bom + newline.join(lines) + newline).encode())
    data = read_csv(path, "y")
    np.testing.assert_array_equal(data.x, x)
    assert (data.feature_names, data.class_names, data.name) == (tuple(names), ("yes",), "table")
    np.testing.assert_array_equal(read_features(path, names[::-1], target="y"), x[:, ::-1])


@pytest.mark.parametrize(
    ("cells", "task", "names"),
    [
        (["b", "a", "b", "a"], "classification", ("a", "b")),
        (["3", "10", "3", "10"], "classification", ("3", "10")),
        (["-1", "1", "1", "-1"], "classification", ("-1", "1")),
        (["1", "2", "3", "3"], "regression", ()),
        (["1.0", "2.0", "1.0", "2.0"], "regression", ()),
        ([str(k) for k in range(20)] * 2, "classification", tuple(str(k) for k in range(20))),
        ([str(k) for k in range(21)] * 2, "regression", ()),
        (["1", "a", "1", "a"], "classification", ("1", "a")),
    ],
)
def test_the_task_of_a_csv_file_follows_the_stated_rule(tmp_path, cells, task, names):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "\n".join(f"1,{cell}" for cell in cells))
    data = read_csv(path, "y")
    assert (data.task, data.class_names) == (task, names)
    if task == "classification":
        assert [data.class_names[label] for label in data.y] == cells


def test_the_task_of_a_csv_file_can_be_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,3\n2,5\n3,3\n4,5\n")
    assert read_csv(path, "y", task="regression").y.tolist() == [3, 5, 3, 5]
    path.write_text("x,y\n1,0.5\n2,1.5\n")
    assert read_csv(path, "y", task="classification").class_names == ("0.5", "1.5")


def test_quotes_blank_lines_and_unusual_line_ends_are_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('"a, with comma";b;kind\n\n1;2;"x;\u2028y"\n  \n3;4;z\n', encoding="utf-8")
    data = read_csv(path, "kind")
    assert data.feature_names == ("a, with comma", "b")
    assert (data.x.tolist(), data.class_names) == ([[1, 2], [3, 4]], ("x;\u2028y", "z"))


# --- idx ---------------------------------------------------------------------------------------------------


@given(data=st.data(), dtype=st.sampled_from(list(CODES)), packed=st.booleans())
def test_idx_round_trip(tmp_path_factory, data, dtype, packed):
    array = data.draw(hnp.arrays(dtype, hnp.array_shapes(max_dims=4)))
    path = tmp_path_factory.getbasetemp() / "array.idx"
    content = idx(array, CODES[dtype])
    path.write_bytes(gzip.compress(content) if packed else content)
    found = read_idx(path)
    assert found.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(found, array)
    assert found.flags.writeable


def small_mnist(folder, packed: bool, images: int = 3):
    folder.mkdir(exist_ok=True)
    for part, n in (("train", images), ("t10k", 2)):
        pixels = np.arange(n * 784, dtype=np.uint8).reshape(n, 28, 28)
        for name, array in (("images-idx3", pixels), ("labels-idx1", np.arange(n, dtype=np.uint8))):
            content = idx(array)
            path = folder / (f"{part}-{name}-ubyte" + ".gz" * packed)
            path.write_bytes(gzip.compress(content, mtime=0) if packed else content)
    return folder


@pytest.mark.parametrize("packed", [True, False])
def test_mnist_files(tmp_path, packed):
    train, test = mnist(small_mnist(tmp_path, packed))
    assert (len(train), len(test), train.n_features, train.n_classes) == (3, 2, 784, 10)
    assert train.x[0, 255] == 1 and train.x[0, 51] == np.float32(0.2)
    assert train.y.tolist() == [0, 1, 2]


# --- the network -------------------------------------------------------------------------------------------


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path):
    folder = small_mnist(tmp_path / "served", packed=True)
    running = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    yield f"http://127.0.0.1:{running.server_port}", folder, sums
    running.shutdown()
    running.server_close()
    thread.join()


def test_a_download_is_checked_and_kept(tmp_path, server):
    url, folder, sums = server
    target = download_mnist(tmp_path / "new" / "mnist", url, sums)
    assert sorted(path.name for path in target.iterdir()) == sorted(sums)
    assert len(mnist(target)[0]) == 3
    for path in folder.iterdir():
        path.unlink()
    assert download_mnist(target, url, sums) == target  # nothing is fetched again


def test_a_wrong_checksum_leaves_nothing_behind(tmp_path, server):
    url, folder, sums = server
    first = next(iter(sums))
    (folder / first).write_bytes(b"something else")
    found = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(DataError) as caught:
        download_mnist(tmp_path / "new", url, sums)
    assert str(caught.value) == (
        f"{first} has the wrong checksum: it is not the file it should be.\n"
        f"  url     {url}/{first}\n"
        f"  sha256  {found}\n"
        f"  wanted  {sums[first]}\n"
        "  try     try another server (base_url=...); nothing was written"
    )
    assert not (tmp_path / "new").exists()


def test_a_damaged_file_is_fetched_again(tmp_path, server):
    url, _, sums = server
    target = download_mnist(tmp_path / "new", url, sums)
    (target / "t10k-labels-idx1-ubyte.gz").write_bytes(b"cut")
    download_mnist(target, url, sums)
    assert len(mnist(target)[1]) == 2


def test_a_missing_file_on_the_server_is_named(tmp_path, server):
    url, _, _ = server
    with pytest.raises(DataError) as caught:
        download_mnist(tmp_path / "new", url + "/", {"absent.gz": "0"})
    assert str(caught.value) == (
        "absent.gz could not be fetched.\n"
        f"  url     {url}/absent.gz\n"
        "  cause   HTTP Error 404: File not found\n"
        "  try     check the connection, or copy the files from elsewhere and name their folder (--data DIR)"
    )
    assert not (tmp_path / "new").exists()
