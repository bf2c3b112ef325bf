"""MNIST, handwritten digits of 28 × 28 pixels: from files, and the files from the network."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from chainrule.base.errors import DataError
from chainrule.base.files import write_atomically
from chainrule.data.dataset import Dataset, from_arrays
from chainrule.data.idx import read_idx

SIDE = 28  # pixels
CLASSES = tuple("0123456789")
MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"  # kept by PyTorch; the original site is gone
PATIENCE = 30  # seconds without an answer before a download is given up

CHECKSUMS = {  # sha256
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}


def mnist(directory: str | os.PathLike[str]) -> tuple[Dataset, Dataset]:
    """Training and test part from the four idx files in a folder, plain or packed (.gz).

    x is (n, 784) float32 with grey values in 0 .. 1 (0 is paper, 1 is ink), y is (n,) with the digits.
    LeCun, Bottou, Bengio & Haffner (1998); 60,000 and 10,000 examples.

    Raises:
        DataError: files are missing, damaged, of another size, or images and labels differ in number.
    """
    paths = {name: locate(directory, name) for name in (*names("train"), *names("t10k"))}
    missing = [name for name, path in paths.items() if path is None]
    if missing:
        raise DataError(
            f"{len(missing)} of the 4 MNIST files are not in the folder.",
            folder=os.fspath(directory),
            missing=", ".join(f"{name}.gz" for name in missing),
            fix="name the folder that has them (--data DIR), or fetch them with cr.data.download_mnist(DIR)",
        )
    train_images, train_labels, test_images, test_labels = (path for path in paths.values() if path)
    return read_part(train_images, train_labels), read_part(test_images, test_labels)


def names(part: str) -> tuple[str, str]:
    """File names of images and labels, unpacked."""
    return f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"


def locate(directory: str | os.PathLike[str], name: str) -> Path | None:
    """The file of this name in a folder, packed or not."""
    candidates = (Path(directory, f"{name}.gz"), Path(directory, name))
    return next((path for path in candidates if path.is_file()), None)


def read_part(image_path: Path, label_path: Path) -> Dataset:
    """One part from its two files."""
    images, labels = read_idx(image_path), read_idx(label_path)
    check_shapes(image_path, images, label_path, labels)
    x = images.reshape(len(images), -1).astype(np.float32)
    x /= 255
    try:
        return from_arrays(x, labels, name="mnist", task="classification", class_names=CLASSES)
    except DataError as error:
        raise error.at(file=label_path) from None


def check_shapes(image_path: Path, images: np.ndarray, label_path: Path, labels: np.ndarray) -> None:
    """Images are 28 × 28, and each has a label."""
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        sizes = " × ".join(map(str, images.shape))
        raise DataError(f"MNIST images are n × 28 × 28, {image_path.name} holds {sizes}.", file=image_path)
    if labels.shape != images.shape[:1]:
        raise DataError(
            f"There are {len(images)} images, but {labels.size} labels.",
            images=image_path,
            labels=label_path,
            fix="take both files from the same source",
        )


def download_mnist(
    directory: str | os.PathLike[str], base_url: str = MIRROR, checksums: Mapping[str, str] = CHECKSUMS
) -> Path:
    """Fetch the files of MNIST (11.6 MB) into a folder and return the folder.

    What is there already, with the right checksum, is not fetched again. `checksums` maps file names to
    their sha256; nothing that differs from it is written.

    Raises:
        DataError: the network or the server failed, or a file has another checksum than it should.
        CheckpointError: the folder cannot be written to.
    """
    for name, expected in checksums.items():
        path = Path(directory, name)
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == expected:
            continue
        url = f"{base_url.rstrip('/')}/{name}"
        content = fetch(url)
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            fix = "try another server (base_url=...); nothing was written"
            headline = f"{name} has the wrong checksum: it is not the file it should be."
            raise DataError(headline, url=url, sha256=found, wanted=expected, fix=fix)
        write_atomically(path, content)
    return Path(directory)


def fetch(url: str) -> bytes:
    """The bytes at an address."""
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=PATIENCE) as answer:
            return answer.read()
    except HTTPError as error:  # an answer too, with a connection to close
        error.close()
        cause = str(error)
    except (OSError, HTTPException, ValueError) as error:  # ValueError: an address that is none
        cause = str(error)
    fix = "check the connection, or copy the files from elsewhere and name their folder (--data DIR)"
    raise DataError(f"{url.rsplit('/', 1)[1]} could not be fetched.", url=url, cause=cause, fix=fix)
