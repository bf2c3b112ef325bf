"""Array libraries behind one interface; their kernels. NumPy is the default and always there."""

from chainrule.backends.interface import Backend, backend_of, into, register, xp
from chainrule.backends.numpy_backend import NUMPY

register(NUMPY)

__all__ = ["NUMPY", "Backend", "backend_of", "into", "register", "xp"]
