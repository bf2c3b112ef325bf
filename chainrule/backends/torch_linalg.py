"""NumPy's functions of linear algebra on PyTorch tensors: its names, and its error where a matrix does not allow it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import torch


def _refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def named(*matrices: Any, **settings: Any) -> Any:
        try:
            return function(*matrices, **settings)
        except torch.linalg.LinAlgError as error:  # pyright: ignore[reportPrivateImportUsage]
            raise np.linalg.LinAlgError(str(error)) from None

    return named


class Linalg:
    """The namespace; every member is NumPy's function of that name."""

    cholesky = staticmethod(_refusing(torch.linalg.cholesky))
    det = staticmethod(torch.linalg.det)
    eigh = staticmethod(_refusing(torch.linalg.eigh))
    inv = staticmethod(_refusing(torch.linalg.inv))
    pinv = staticmethod(_refusing(torch.linalg.pinv))
    qr = staticmethod(torch.linalg.qr)
    slogdet = staticmethod(torch.linalg.slogdet)
    solve = staticmethod(_refusing(torch.linalg.solve))
    svd = staticmethod(_refusing(torch.linalg.svd))
