"""Grey or coloured pixels as a PNG file, written without a library."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np


def png(pixels: np.ndarray) -> bytes:
    r"""The file of an image of bytes, (height, width) grey or (height, width, 3) red, green, blue.

    >>> png(np.zeros((2, 2), np.uint8))[:4]
    b'\x89PNG'
    """
    height, width = pixels.shape[:2]
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)  # 0: no filter
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(kind, data) for kind, data in parts)


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def data_address(pixels: np.ndarray) -> str:
    """The image as an address that a page can carry in itself."""
    return f"data:image/png;base64,{base64.b64encode(png(pixels)).decode()}"


def grey(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Numbers as bytes: low is white, high black, as ink on paper."""
    share = np.clip((values - low) / (high - low or 1.0), 0.0, 1.0)
    return np.round(255 * (1 - share)).astype(np.uint8)
