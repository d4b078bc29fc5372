"""Letters from user files: an ``.npz`` file, a folder of arrays, or a folder of images."""

import math
import string
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt8
from PIL import Image

from minsyn.datasets.letters import Letters, require_letters

_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".pgm"}

_KEYS = ("images", "labels", "styles")

#: Most bytes of unpacked arrays, and most pixels of an image, that are read: a small file may claim
#: any number.
_MOST_BYTES, _MOST_PIXELS = 2**33, 2**22

#: Pillow modes that can be converted to 8-bit grey without clipping.
_EIGHT_BIT_MODES = {"1", "L", "LA", "P", "RGB", "RGBA"}


def read_letters(path: Path) -> Letters:
    """Read letters from a file or folder; :func:`load_letters` describes the formats.

    Parameters
    ----------
    path : pathlib.Path
        An ``.npz`` file or a folder.

    Returns
    -------
    Letters
        Named after the path.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    TypeError, ValueError
        If the content has none of these formats. The message begins with the path.

    Examples
    --------
    >>> import numpy as np, pathlib, tempfile
    >>> images = np.ones((2, 5, 4), np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/signs.npz", images=images, labels=["a", "b"])
    ...     read_letters(pathlib.Path(f"{folder}/signs.npz")).alphabet
    ('a', 'b')
    """
    if not path.exists():
        raise FileNotFoundError(
            f"letters: there is no file or folder {str(path)!r}; give 'typewriter', 'emnist', or "
            "the path of an .npz file or a folder"
        )
    try:
        if path.is_dir() and not (path / "images.npy").exists():
            return _from_image_folder(path)
        return _from_arrays(_read_arrays(path), path.stem)
    except TypeError as error:
        raise TypeError(f"{path}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _from_arrays(arrays: Mapping[str, Shaped[np.ndarray, "..."]], name: str) -> Letters:
    missing = {"images", "labels"} - arrays.keys()
    if missing:
        raise ValueError(
            "expected arrays 'images' and 'labels' (and perhaps 'styles'); "
            f"{' and '.join(sorted(missing))} must be added"
        )
    images, labels = arrays["images"], _as_characters(arrays["labels"])
    styles = arrays.get("styles")
    require_letters(images, labels, styles)
    return Letters(images, labels, styles, name)


def _as_characters(labels: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
    """Convert integer labels to the letters a-z: 0 to 25 if a 0 occurs, else 1 to 26 as in EMNIST.

    Labels of other types are returned unchanged.
    """
    if labels.dtype.kind == "S":
        return np.char.decode(labels, "utf-8")
    if labels.dtype.kind not in "iu" or labels.size == 0:
        return labels
    first = 0 if labels.min() == 0 else 1
    if labels.min() < 0 or labels.max() > first + 25:
        raise ValueError(
            f"labels: integers must be from 0 to 25 or from 1 to 26, for a to z, found "
            f"{labels.min()} to {labels.max()}; pass the characters themselves as strings"
        )
    return np.array(list(string.ascii_lowercase))[labels.astype(int) - first]


def _read_arrays(path: Path) -> dict[str, Shaped[np.ndarray, "..."]]:
    """Read the known arrays from an ``.npz`` file or a folder of ``.npy`` files."""
    # NumPy raises various exceptions for damaged files and other formats.
    try:
        if path.is_dir():
            files = {key: path / f"{key}.npy" for key in _KEYS}
            return {key: _read_array(file) for key, file in files.items() if file.exists()}
        if not path.is_file():
            raise ValueError("it is not a regular file")
        with zipfile.ZipFile(path) as archive:
            n_bytes = sum(member.file_size for member in archive.infolist())
        if n_bytes > _MOST_BYTES:
            raise ValueError(f"they take {n_bytes:,} bytes, and at most {_MOST_BYTES:,} are read")
        with np.load(path) as file:
            arrays = {key: file[key] for key in _KEYS if key in file}
        for key, array in arrays.items():
            if not isinstance(array, np.ndarray):  # NumPy gives the bytes of what is none
                raise ValueError(f"{key} is not an array")
        return arrays
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"letters: these are not readable NumPy arrays ({said}); write them with "
            "np.savez(path, images=..., labels=...), labels as an array of strings"
        ) from error


def _read_array(file: Path) -> Shaped[np.ndarray, "..."]:
    """A ``.npy`` file, for which no more is allocated than it holds."""
    if not file.is_file():  # a pipe would be waited for
        raise ValueError(f"{file.name} is not a regular file")
    return np.array(np.load(file, mmap_mode="r"))


def _from_image_folder(folder: Path) -> Letters:
    files = [
        (file, sub.name)
        for sub in sorted(folder.iterdir())
        if sub.is_dir()
        for file in sorted(sub.iterdir())
        if file.suffix.lower() in _IMAGE_SUFFIXES and file.is_file()
    ]
    if not files:
        raise ValueError(
            "letters: expected images.npy and labels.npy, or a folder for each letter with its "
            "images, such as a/1.png; found neither"
        )
    images = [_read_image(file) for file, _ in files]
    for (file, _), image in zip(files, images, strict=True):
        if image.shape != images[0].shape:
            raise ValueError(
                f"images: all must have one size, but {files[0][0].name} is {images[0].shape} "
                f"and {file.parent.name}/{file.name} is {image.shape} (height, width); "
                "crop or scale them"
            )
    return Letters(np.stack(images), np.array([letter for _, letter in files]), name=folder.name)


def _read_image(file: Path) -> UInt8[np.ndarray, "h w"]:
    try:
        with Image.open(file) as image:
            if math.prod(image.size) > _MOST_PIXELS:
                height, width = image.size[::-1]
                raise ValueError(
                    f"it has {height} x {width} pixels, and at most {_MOST_PIXELS:,} are read: "
                    "scale it down"
                )
            if image.mode not in _EIGHT_BIT_MODES:
                raise ValueError(f"Pillow's mode is {image.mode!r}: save it with 8 bits per pixel")
            return np.array(image.convert("L"))
    except Exception as error:  # Pillow's decoders raise errors of many kinds
        raise ValueError(
            f"images: {file.parent.name}/{file.name} cannot be read ({error}); replace or remove it"
        ) from error
