"""EMNIST handwritten letters, downloaded once and cached in one small file."""

import contextlib
import importlib.util
import os
import shutil
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minsyn._atomic import replacing
from minsyn._locks import locked
from minsyn._warnings import warn
from minsyn.datasets.emnist_formats import Arrays, read_parquet, read_zip
from minsyn.datasets.letters import Letters

#: Name of the file in the cache.
CACHE_FILE = "emnist-letters.npz"
_LOCK = ".emnist-letters.lock"
_DOWNLOADS = "emnist-downloads"

SPLITS = ("train", "test", "both")


@dataclass(frozen=True)
class Mirror:
    """A download source of EMNIST.

    Parameters
    ----------
    name : str
        Name in messages.
    files : tuple of (url, hash)
        Address and checksum of each file. A checksum looks like ``"sha256:..."`` or
        ``"md5:..."``.
    read : callable
        Function that reads the four arrays of :mod:`minsyn.datasets.emnist_formats` from the paths
        of the downloaded files, in order.
    needs : str, optional
        Package that ``read`` requires.
    cure : str
        Advice in the error message if that package is missing.

    Examples
    --------
    >>> from minsyn.datasets.emnist import MIRRORS
    >>> [mirror.needs for mirror in MIRRORS]
    ['pyarrow', None]
    """

    name: str
    files: tuple[tuple[str, str], ...]
    read: Callable[[Sequence[Path]], Arrays]
    needs: str | None = None
    cure: str = ""


_PARQUET = "https://huggingface.co/datasets/tanganke/emnist_letters/resolve/main/emnist-letters"

#: Mirrors in the order of use: 59 MB that need pyarrow, then NIST's archive of all EMNIST, 536 MB.
MIRRORS = (
    Mirror(
        name="parquet mirror (59 MB)",
        files=(
            (
                f"{_PARQUET}/train-00000-of-00001.parquet",
                "sha256:756ccd59b40c47fd5a7fc622ed1c34d32576d64edc37aaf9accc89de2bf0bb35",
            ),
            (
                f"{_PARQUET}/test-00000-of-00001.parquet",
                "sha256:76421442e28d4ba81c10016df2713d18105df34169f405e0eb43470e88b5d98e",
            ),
        ),
        read=read_parquet,
        needs="pyarrow",
        cure="pip install 'minsyn[parquet]'",
    ),
    Mirror(
        name="NIST (536 MB)",
        files=(
            (
                "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
                "md5:58c8d27c78d21e728a6bc7b3cc06412e",
            ),
        ),
        read=read_zip,
    ),
)


def load_emnist(
    split: str = "both",
    *,
    cache: str | os.PathLike[str] | None = None,
    mirrors: Sequence[Mirror] = MIRRORS,
    retries: int = 2,
) -> Letters:
    """Load the 145,600 EMNIST letters of 28 x 28 pixels, with upper and lower case merged.

    The first call downloads the letters from the first available mirror, with a progress bar,
    verifies the checksum, and stores them in the cache as ``emnist-letters.npz``. The downloaded
    files are then removed. If a download fails or has the wrong checksum, it is repeated, then the
    next mirror is tried. A damaged file in the cache is replaced.

    Parameters
    ----------
    split : {"both", "train", "test"}
        EMNIST's own split: 124,800 training images, 20,800 test images. Word images are split by
        words, so the default is to use both.
    cache : path, optional
        Cache folder. Default: the environment variable ``MINSYN_CACHE``, or the cache folder of
        the user in the operating system.
    mirrors : sequence of Mirror
        Download sources, in order.
    retries : int
        Number of retries for each file, after 1 second, 2 seconds, and so on.

    Returns
    -------
    Letters
        Upright images, labelled a to z. The writers are unknown, so ``styles`` is None.

    Raises
    ------
    ValueError
        If ``split`` is unknown.
    ConnectionError
        If all mirrors fail. The message lists the reasons and possible solutions.
    OSError
        If the cache cannot be written, for lack of space or permission.

    References
    ----------
    Cohen, Afshar, Tapson, van Schaik (2017), "EMNIST: an extension of MNIST to handwritten
    letters", arXiv:1702.05373. From NIST Special Database 19.

    Examples
    --------
    >>> from minsyn.datasets import load_emnist
    >>> load_emnist("test").images.shape  # doctest: +SKIP
    (20800, 28, 28)
    """
    if split not in SPLITS:
        raise ValueError(f"split: {split!r} is not one of {', '.join(map(repr, SPLITS))}")
    folder = _cache_folder(cache)
    wanted = ("train", "test") if split == "both" else (split,)
    arrays = _read_cache(folder / CACHE_FILE, wanted)
    if arrays is None:
        with contextlib.ExitStack() as stack:
            # Of several processes that ask for the letters at once, one downloads them.
            with _naming(folder):
                cure = "wait for its download"
                stack.enter_context(locked(folder, _LOCK, wait=True, cure=cure))
            arrays = _read_cache(folder / CACHE_FILE, wanted, silent=True)
            if arrays is None:
                arrays = _download(folder, mirrors, retries)
    codes = np.concatenate([arrays[f"{part}_labels"] for part in wanted])
    return Letters(
        images=np.concatenate([arrays[f"{part}_images"] for part in wanted]),
        labels=np.array(list(string.ascii_lowercase))[codes],
        name="emnist",
    )


def _cache_folder(cache: str | os.PathLike[str] | None) -> Path:
    import pooch

    folder = cache or os.environ.get("MINSYN_CACHE") or pooch.os_cache("minsyn")
    return Path(folder).expanduser()


def _read_cache(file: Path, splits: Sequence[str], *, silent: bool = False) -> Arrays | None:
    if not file.exists():
        return None
    keys = [f"{split}_{part}" for split in splits for part in ("images", "labels")]
    # The archive's checksums reveal damage, which NumPy reports by various exceptions.
    try:
        with np.load(file, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in keys}
        for split in splits:
            _check(arrays[f"{split}_images"], arrays[f"{split}_labels"])
        return arrays
    except Exception as error:
        if not silent:
            warn(f"{file} is damaged ({error}): downloading it again")
        return None


def _check(images: np.ndarray, labels: np.ndarray) -> None:
    if images.dtype != np.uint8 or images.shape != (len(images), 28, 28) or len(images) == 0:
        raise ValueError(f"its images have shape {images.shape} and type {images.dtype}")
    if labels.dtype != np.uint8 or labels.shape != (len(images),) or labels.max() > 25:
        raise ValueError("its labels are not one number from 0 to 25 for each image")


def _download(folder: Path, mirrors: Sequence[Mirror], retries: int) -> Arrays:
    import requests

    # Nothing but downloads is in this folder, so that what a killed process left can be removed.
    for part in (folder / _DOWNLOADS).glob("tmp*"):
        part.unlink()
    failures = []
    for mirror in mirrors:
        if mirror.needs and importlib.util.find_spec(mirror.needs) is None:
            failures.append(f"{mirror.name}: needs {mirror.needs} ({mirror.cure})")
            continue
        # pooch raises ValueError for a wrong checksum. Other errors, such as a full disk, are not
        # caught, as another mirror would not help.
        try:
            paths = [_fetch(url, known_hash, folder, retries) for url, known_hash in mirror.files]
        except (requests.RequestException, ValueError) as error:
            urls = ", ".join(url for url, _ in mirror.files)
            failures.append(f"{mirror.name}: {error} [{urls}]")
            continue
        arrays = mirror.read(paths)
        _write_cache(folder / CACHE_FILE, arrays)
        for path in paths:
            path.unlink(missing_ok=True)
        shutil.rmtree(folder / _DOWNLOADS, ignore_errors=True)
        return arrays
    with contextlib.suppress(OSError):
        (folder / _DOWNLOADS).rmdir()
    raise ConnectionError(
        "EMNIST could not be downloaded:\n"
        + "".join(f"  - {failure}\n" for failure in failures)
        + "Check the network or proxy and call again; or use letters='typewriter', which needs no "
        "network; or give the path of an .npz file with images and labels."
    )


def _fetch(url: str, known_hash: str, folder: Path, retries: int) -> Path:
    """Download a file, unless the folder already has it with the right checksum."""
    import pooch

    name = url.rpartition("/")[2]
    store = pooch.create(
        path=folder if (folder / name).exists() else folder / _DOWNLOADS,
        base_url="",
        registry={name: known_hash},
        urls={name: url},
        retry_if_failed=retries,
    )
    with _naming(folder):
        return Path(store.fetch(name, downloader=pooch.HTTPDownloader(progressbar=True)))


def _write_cache(file: Path, arrays: Arrays) -> None:
    with _naming(file.parent), replacing(file) as target:
        np.savez_compressed(
            target,
            train_images=arrays["train_images"],
            train_labels=arrays["train_labels"],
            test_images=arrays["test_images"],
            test_labels=arrays["test_labels"],
        )


@contextlib.contextmanager
def _naming(folder: Path) -> Iterator[None]:
    """Raise an error that names the folder and the solution if it cannot be written."""
    import requests

    try:
        yield
    except requests.RequestException:  # a subclass of OSError, but unrelated to the folder
        raise
    except OSError as error:
        raise OSError(
            f"cache: the folder {folder} cannot be written ({error}); free some space, or choose "
            "another folder with cache= or the environment variable MINSYN_CACHE"
        ) from error
