"""Data: read, checked, split, scaled, and dealt out in batches.

Everything here is NumPy: a `Dataset` is two arrays with names, and what a model sees is a stream of batches
whose order is a function of (seed, epoch).
"""

from chainrule.data.csv_files import read_csv, read_features
from chainrule.data.dataset import Dataset, from_arrays, from_frame
from chainrule.data.embedded import EMBEDDED, breast_cancer, diabetes, digits, iris, wine
from chainrule.data.idx import read_idx
from chainrule.data.loader import Loader
from chainrule.data.mnist import download_mnist, mnist
from chainrule.data.scaling import SCALERS, MinMax, Standardize
from chainrule.data.splits import Splits, repeated_splits, split

__all__ = [
    "EMBEDDED",
    "SCALERS",
    "Dataset",
    "Loader",
    "MinMax",
    "Splits",
    "Standardize",
    "breast_cancer",
    "diabetes",
    "digits",
    "download_mnist",
    "from_arrays",
    "from_frame",
    "iris",
    "mnist",
    "read_csv",
    "read_features",
    "read_idx",
    "repeated_splits",
    "split",
    "wine",
]
