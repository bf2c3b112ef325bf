"""Reader for idx files, the format of MNIST: a magic number, the sizes, the numbers."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np

from chainrule.base.errors import DataError

DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP = b"\x1f\x8b"  # the first two bytes of every gzip file (RFC 1952)
AGAIN = "copy or download the file again"


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in an idx file, plain or packed by gzip.

        0  0  dtype  axes  |  size of each axis, 4 bytes  |  the numbers, rows first, high byte first

    Whether a file is packed is told by its first bytes, not its name (browsers unpack without saying).
    Source: LeCun, Cortes & Burges, "The MNIST database", file formats.

    Raises:
        DataError: the file is missing, corrupt, cut short or too long, or not an idx file.
    """
    data = unpacked(path)
    dtype, shape = header(path, data)
    start = 4 + 4 * len(shape)
    expected, found = math.prod(shape) * dtype.itemsize, len(data) - start
    if found != expected:
        fault = "is cut short" if found < expected else "is too long"
        raise DataError(
            f"{Path(path).name} {fault}: {found} bytes of data, {expected} expected.",
            file=os.fspath(path),
            sizes=" × ".join(map(str, shape)),
            dtype=dtype.name,
            fix=AGAIN,
        )
    return np.frombuffer(data, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def unpacked(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file, unpacked if they are packed."""
    try:
        data = Path(path).read_bytes()
        return gzip.decompress(data) if data.startswith(GZIP) else data
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        headline, cause, fix = "could not be unpacked", str(error), AGAIN
    except OSError as error:
        headline, cause, fix = "could not be read", error.strerror or str(error), "check the path"
    raise DataError(f"{Path(path).name} {headline}.", file=os.fspath(path), cause=cause, fix=fix)


def header(path: str | os.PathLike[str], data: bytes) -> tuple[np.dtype, tuple[int, ...]]:
    """dtype and shape from the first bytes of an idx file."""
    place = os.fspath(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in DTYPES:
        start = data[:4].hex(" ") or "nothing (it is empty)"
        fix = "idx files start 00 00, a code for the dtype (08 = bytes), and the number of axes"
        raise DataError(f"{Path(path).name} is not an idx file: it starts with {start}.", file=place, fix=fix)
    end = 4 + 4 * data[3]
    if len(data) < end:
        headline = f"{Path(path).name} is cut short: {len(data)} bytes, its header alone has {end}."
        raise DataError(headline, file=place, fix=AGAIN)
    shape = tuple(np.frombuffer(data[4:end], ">u4").tolist())
    return np.dtype(DTYPES[data[2]]), shape
