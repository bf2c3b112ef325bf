"""Files written whole or not at all: bytes, JSON, and named arrays (safetensors).

A program can be killed, and a disk can fill up, at any moment; a reader of these files then finds the old
contents or the new ones, never half of each.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from chainrule.base.errors import CheckpointError

StrPath = str | os.PathLike[str]
Writer = Callable[[BinaryIO], object]

CHECKSUM = "chainrule.crc32"  # the metadata entry that tells changed bytes from sound ones

FIXES = {
    errno.ENOSPC: "free some space on this disk, or save to another one",
    errno.EDQUOT: "delete what you no longer need (your quota is used up), or save to another disk",
    errno.EACCES: "save to a folder you may write to, or change the permissions of this one",
    errno.EPERM: "save to a folder you may write to, or change the permissions of this one",
    errno.EROFS: "save to another disk: this one is read-only",
    errno.ENOTDIR: "choose another folder: a part of this path is a file",
    errno.EEXIST: "choose another folder: a part of this path is a file",
    errno.EISDIR: "choose another name: this one is a folder",
}


def write_atomically(path: StrPath, content: bytes | Writer) -> None:
    """Write a file so that a reader finds all of it or, if anything fails, what was there before.

    The bytes go to a temporary file in the same folder, are forced to the disk, and then take the place of
    the old file in one step (`os.replace`, atomic on POSIX and Windows). `content` is the bytes, or a
    function that writes them to the open file it is given. Missing folders are made.

    Raises:
        CheckpointError: the disk is full, the folder is not writable, or the like; the temporary file is
            removed and the old file is as it was.
    """
    target = Path(path).resolve()  # a symbolic link stays one: the file it points to is replaced
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_through(temporary, content)
        os.replace(temporary, target)
    except CheckpointError:
        raise
    except OSError as error:
        raise unwritten(path, target, error) from None
    finally:
        with suppress(OSError):  # after success there is nothing left to remove
            temporary.unlink()
    sync_folder(target.parent)


def write_through(path: Path, content: bytes | Writer) -> None:
    """Write a new file and force it to the disk."""
    with open(path, "xb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            content(file)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Force a rename to the disk, where the system can: or a power cut may bring the old file back."""
    with suppress(OSError):  # Windows and some network disks refuse; old or new, the file is whole
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def unwritten(path: StrPath, target: Path, error: OSError) -> CheckpointError:
    """The message for a file that could not be written."""
    places = {"file": os.fspath(path), "cause": error.strerror or str(error)}
    if target.is_file():
        places["kept"] = "the old file is as it was"
    fix = FIXES.get(error.errno or 0, "save to another folder or disk")
    return CheckpointError(f"{target.name} could not be written.", **places, fix=fix)


def unread(path: StrPath, cause: str, fix: str) -> CheckpointError:
    """The message for a file that could not be read, or cannot be trusted."""
    headline = f"{Path(path).name} could not be read."
    return CheckpointError(headline, file=os.fspath(path), cause=cause, fix=fix)


def read_bytes(path: StrPath) -> bytes:
    """The contents of a file.

    Raises:
        CheckpointError: there is no such file, or it may not be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise unread(path, error.strerror or str(error), "check the path") from None


def write_json(path: StrPath, value: object) -> None:
    """Write numbers, texts, lists and dictionaries as indented JSON, atomically.

    NumPy numbers and arrays become numbers and lists, paths become texts; NaN and infinity are written as
    `NaN` and `Infinity`, which Python reads back.

    Raises:
        CheckpointError: the file could not be written; the old one is as it was.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False, default=plain)
    write_atomically(path, f"{text}\n".encode())


def plain(value: object) -> object:
    """What JSON knows in place of what it does not."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"JSON has no form for {type(value).__name__}: {value!r}")


def read_json(path: StrPath) -> Any:
    """Read a JSON file.

    Raises:
        CheckpointError: the file is missing, or is not JSON; line and column say where it goes wrong.
    """
    fix = "restore the file from a copy, or delete it and run again"
    try:
        return json.loads(read_bytes(path).decode())
    except json.JSONDecodeError as error:
        cause = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise unread(path, cause, fix) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        cause = f"line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8 text"
        raise unread(path, cause, fix) from None


def write_arrays(path: StrPath, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> None:
    """Write named arrays and named texts as a safetensors file, atomically and with a checksum.

    Any program that knows safetensors reads it. Shapes and dtypes are kept, also of 0-dimensional and
    non-contiguous arrays.

    Raises:
        CheckpointError: the file could not be written; the old one is as it was.
    """
    from safetensors.numpy import save

    rows = {name: in_rows(array) for name, array in arrays.items()}
    texts = {f"{name}'" if _is_taken(name) else name: text for name, text in (metadata or {}).items()}
    write_atomically(path, save(rows, texts | {CHECKSUM: checksum(rows, texts)}))


def _is_taken(name: str) -> bool:
    """Whether a text has the checksum's name, or that name primed; it is written with one prime more."""
    return name.rstrip("'") == CHECKSUM


def in_rows(array: np.ndarray) -> np.ndarray:
    """An array laid out as safetensors expects it, which writes the memory as it lies."""
    array = np.asarray(array)
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")


def read_arrays(path: StrPath) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays and the metadata of a safetensors file, each by name.

    Raises:
        CheckpointError: the file is missing, cut short, not safetensors, or its contents do not have the
            checksum they were written with (files of other programs have none, and are not checked).
    """
    from safetensors import SafetensorError, safe_open

    fix = "take an older checkpoint, or write this one again"
    cut = defect(read_header(path))
    if cut:
        raise unread(path, cut, fix)
    try:
        with safe_open(path, framework="numpy") as file:
            texts = dict(file.metadata() or {})
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
    except (SafetensorError, OSError) as error:
        raise unread(path, str(error), fix) from None
    written = texts.pop(CHECKSUM, None)
    if written not in (None, found := checksum(arrays, texts)):
        raise unread(path, f"its contents have the checksum {found}, but were written with {written}", fix)
    return arrays, {name.removesuffix("'") if _is_taken(name) else name: text for name, text in texts.items()}


def checksum(arrays: Mapping[str, np.ndarray], texts: Mapping[str, str]) -> str:
    """CRC-32 of names, dtypes, shapes, bytes and texts, independent of their order."""
    total = zlib.crc32(json.dumps(texts, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        total = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), total)
        total = zlib.crc32(array.reshape(-1).view(np.uint8).data, total)
    return f"{total:08x}"


def read_header(path: StrPath) -> tuple[bytes, int]:
    """The first part of a safetensors file (8 bytes of length, then JSON), and the size of the whole file."""
    try:
        with open(path, "rb") as file:
            length = file.read(8)
            size = os.fstat(file.fileno()).st_size
            return length + file.read(min(int.from_bytes(length, "little"), size)), size
    except OSError as error:
        raise unread(path, error.strerror or str(error), "check the path") from None


def defect(header_and_size: tuple[bytes, int]) -> str | None:
    """What is wrong with a safetensors file, in numbers, as far as header and size tell."""
    header, size = header_and_size
    if size < 8:
        return f"it is {size} bytes long; even an empty safetensors file has 8"
    end = 8 + int.from_bytes(header[:8], "little")
    if size < end:
        return f"it is {size} bytes long, its header should be {end}: cut short, or not a safetensors file"
    try:
        entries = json.loads(header[8:])
        entries.pop("__metadata__", None)
        end += max((entry["data_offsets"][1] for entry in entries.values()), default=0)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return "its header is not that of a safetensors file"
    return None if size == end else f"it is {size} bytes long, but its header announces {end}"
