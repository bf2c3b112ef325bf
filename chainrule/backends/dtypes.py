"""dtypes in one language, NumPy's: of an array of any library, by any library's name for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.base.errors import DtypeError

_foreign: dict[Any, np.dtype] = {}


def translate(dtypes: dict[Any, np.dtype]) -> None:
    """Make another library's dtypes known, each with NumPy's for it."""
    _foreign.update(dtypes)


def dtype_of(x: Any) -> np.dtype:
    """The dtype of an array of any library, as NumPy's: `bfloat16` is that of ml_dtypes.

    >>> dtype_of(np.zeros(3, np.float16))
    dtype('float16')
    """
    dtype = x.dtype
    return dtype if isinstance(dtype, np.dtype) else as_dtype(dtype)


def kind_of(x: Any) -> str:
    """The kind of numbers in an array: "f" floating-point (bfloat16 too), "i", "u", "b", "c".

    >>> kind_of(np.zeros(3)), kind_of(np.zeros(3, bool))
    ('f', 'b')
    """
    dtype = x.dtype
    if not isinstance(dtype, np.dtype):
        dtype = as_dtype(dtype)
    kind = dtype.kind
    return "f" if kind == "V" else kind


def is_floating(dtype: np.dtype) -> bool:
    """Whether a dtype is of floating-point numbers; to NumPy the kind of bfloat16 is void."""
    return dtype.kind in "fV"


def as_dtype(dtype: Any) -> np.dtype:
    """The dtype meant by a name, a NumPy type, or another library's dtype.

    Raises:
        DtypeError: there is no such dtype, or it is bfloat16 and ml_dtypes is not installed.

    >>> as_dtype("float32"), as_dtype(np.int64)
    (dtype('float32'), dtype('int64'))
    """
    if isinstance(dtype, np.dtype):
        return dtype
    try:
        return _foreign[dtype] if dtype in _foreign else np.dtype(dtype)
    except TypeError:
        if str(dtype).removeprefix("torch.") == "bfloat16":
            return bfloat16()
        raise DtypeError(
            f"There is no dtype {dtype!r}.", known="float16, bfloat16, float32, float64, int64, bool and the like"
        ) from None


def bfloat16() -> np.dtype:
    """The dtype bfloat16: the exponent of float32, 8 significant bits.

    Raises:
        DtypeError: ml_dtypes, which gives NumPy this dtype, is not installed.
    """
    try:
        import ml_dtypes
    except ModuleNotFoundError:
        raise DtypeError(
            "bfloat16 needs the library ml_dtypes, which is not installed.", **{"try": "pip install ml_dtypes"}
        ) from None
    return np.dtype(ml_dtypes.bfloat16)
