"""Files are written whole or not at all, and read back as they were."""

from __future__ import annotations

import errno
import io
import os
import stat
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chainrule.base.errors import CheckpointError
from chainrule.base.files import CHECKSUM, read_arrays, read_json, write_arrays, write_atomically, write_json

FULL = OSError(errno.ENOSPC, "No space left on device")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refuse(*_: object) -> None:
    raise FULL


class FullFile(io.FileIO):
    """A file on a disk that has room for ten bytes."""

    def write(self, data: object) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().write(bytes(data)[:10])  # pyright: ignore[reportArgumentType]
        raise FULL


def full_open(path: Path, mode: str) -> FullFile:
    return FullFile(path, mode)


@pytest.mark.parametrize("old", [b"old contents", None], ids=["an old file", "no file"])
@pytest.mark.parametrize(
    ("place", "replacement"),
    [("os.fsync", refuse), ("os.replace", refuse), ("chainrule.base.files.open", full_open)],
    ids=["fsync fails", "replace fails", "write fails"],
)
def test_a_full_disk_keeps_the_old_file(tmp_path, monkeypatch, place, replacement, old):
    path = tmp_path / "weights.safetensors"
    if old is not None:
        path.write_bytes(old)
    monkeypatch.setattr(place, replacement, raising=False)
    with pytest.raises(CheckpointError, match="No space left"):
        write_atomically(path, b"new contents that are longer")
    assert names_in(tmp_path) == (["weights.safetensors"] if old else [])
    assert old is None or path.read_bytes() == old


@pytest.mark.parametrize("error", [FULL, KeyboardInterrupt(), RuntimeError("a bug")])
def test_a_writer_that_fails_keeps_the_old_file(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def writer(file):
        file.write(b"half")
        raise error

    with pytest.raises((CheckpointError, KeyboardInterrupt, RuntimeError)):
        write_atomically(path, writer)
    assert names_in(tmp_path) == ["file"]
    assert path.read_bytes() == b"old"


def test_an_error_of_ours_inside_a_writer_passes_through(tmp_path):
    def writer(_):
        raise CheckpointError("inner")

    with pytest.raises(CheckpointError, match=r"^inner$"):
        write_atomically(tmp_path / "file", writer)


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    sync = os.fsync

    def files_only(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_missing_folders_are_made_and_a_link_stays_a_link(tmp_path):
    target = tmp_path / "a" / "b" / "file"
    write_atomically(target, b"1")
    link = tmp_path / "link"
    link.symlink_to(target)
    write_atomically(link, lambda file: file.write(b"2"))
    assert link.is_symlink()
    assert target.read_bytes() == b"2"


def test_the_mode_is_that_of_an_ordinary_file(tmp_path):
    (tmp_path / "ordinary").write_bytes(b"")
    write_atomically(tmp_path / "atomic", b"")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_readers_see_whole_files_only(tmp_path):
    path, contents = tmp_path / "file", [bytes([k]) * 200_000 for k in range(20)]
    write_atomically(path, contents[0])
    writer = threading.Thread(target=lambda: [write_atomically(path, content) for content in contents])
    writer.start()
    while writer.is_alive():
        assert path.read_bytes() in contents
    writer.join()
    assert path.read_bytes() == contents[-1]
    assert names_in(tmp_path) == ["file"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(value=JSON)
def test_json_round_trip(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "value.json"
    write_json(path, value)
    assert read_json(path) == value


def test_json_takes_numpy_and_paths(tmp_path):
    value = {"loss": np.float32(0.5), "n": np.int64(3), "row": np.arange(2), "at": Path("runs")}
    write_json(tmp_path / "value.json", value)
    assert read_json(tmp_path / "value.json") == {"loss": 0.5, "n": 3, "row": [0, 1], "at": "runs"}


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path):
    write_json(tmp_path / "value.json", 1)
    with pytest.raises(TypeError, match="JSON has no form for set"):
        write_json(tmp_path / "value.json", {1, 2})
    assert read_json(tmp_path / "value.json") == 1


DTYPES = st.sampled_from(["f4", "f8", "f2", "i8", "u1", "?", ">f4"])
ARRAYS = DTYPES.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, min_side=0, max_dims=3)))


NAMES = st.text() | st.sampled_from([CHECKSUM, f"{CHECKSUM}'", f"{CHECKSUM}''"])


@given(
    arrays=st.dictionaries(st.text(max_size=5), ARRAYS, max_size=3),
    texts=st.dictionaries(NAMES, st.text()),
)
@example(arrays={}, texts={CHECKSUM: "", f"{CHECKSUM}'": "mine"})
def test_arrays_round_trip(tmp_path_factory, arrays, texts):
    path = tmp_path_factory.getbasetemp() / "arrays.safetensors"
    arrays.pop("__metadata__", None)
    write_arrays(path, arrays, texts)
    found, found_texts = read_arrays(path)
    assert found_texts == texts
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].shape == array.shape
        assert found[name].dtype == array.dtype.newbyteorder("=")
        assert found[name].tobytes() == array.astype(array.dtype.newbyteorder("=")).tobytes()


def test_views_are_written_as_they_look_and_come_back_writable(tmp_path):
    matrix = np.arange(12.0).reshape(3, 4)
    write_arrays(tmp_path / "a", {"t": matrix.T, "s": matrix[:, ::2], "scalar": np.float32(3)})  # pyright: ignore[reportArgumentType]
    arrays, _ = read_arrays(tmp_path / "a")
    np.testing.assert_array_equal(arrays["t"], matrix.T)
    np.testing.assert_array_equal(arrays["s"], matrix[:, ::2])
    assert arrays["scalar"].shape == ()
    arrays["t"][0, 0] = 5


def test_safetensors_reads_and_writes_the_same_files(tmp_path):
    from safetensors.numpy import load_file, save_file

    write_arrays(tmp_path / "ours", {"w": np.ones((2, 3), np.float32)})
    np.testing.assert_array_equal(load_file(tmp_path / "ours")["w"], np.ones((2, 3)))
    save_file({"w": np.zeros(2)}, tmp_path / "theirs", {"by": "them"})
    arrays, texts = read_arrays(tmp_path / "theirs")
    np.testing.assert_array_equal(arrays["w"], np.zeros(2))
    assert texts == {"by": "them"}


def test_every_cut_and_every_changed_byte_is_noticed(tmp_path):
    path = tmp_path / "arrays.safetensors"
    write_arrays(path, {"w": np.arange(5.0), "b": np.float32([1])}, {"step": "12"})  # pyright: ignore[reportArgumentType]
    whole = path.read_bytes()
    before = read_arrays(path)
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(CheckpointError):
            read_arrays(path)
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        try:
            arrays, texts = read_arrays(path)
        except CheckpointError:
            continue
        # What passes is harmless: white space of the header, or the name under which the checksum stands.
        assert texts["step"] == "12"
        assert all(np.array_equal(arrays[name], before[0][name]) for name in before[0])
