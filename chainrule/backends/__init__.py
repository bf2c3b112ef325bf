"""Array libraries behind one interface; their kernels. NumPy is the default and always there."""

from chainrule.backends.default import Place, copied, is_host, place_named, place_of, placed, use
from chainrule.backends.dtypes import as_dtype, dtype_of, is_floating, kind_of
from chainrule.backends.interface import (
    Backend,
    backend_named,
    backend_of,
    flat_zeros,
    host_view,
    into,
    into_each,
    is_array,
    looked_at,
    on_host,
    put,
    readable,
    register,
    xp,
)
from chainrule.backends.numpy_backend import NUMPY

register(NUMPY)

__all__ = [
    "NUMPY", "Backend", "Place", "as_dtype", "backend_named", "backend_of", "copied", "dtype_of", "flat_zeros",
    "host_view", "into", "into_each", "is_array", "is_floating", "is_host", "kind_of", "looked_at", "on_host",
    "place_named", "place_of", "placed", "put", "readable", "register", "use", "xp",
]  # fmt: skip
