"""One name for every source of letters."""

import os
from pathlib import Path

from minsyn.datasets.digits import load_digits
from minsyn.datasets.emnist import load_emnist
from minsyn.datasets.files import read_letters
from minsyn.datasets.letters import Letters
from minsyn.datasets.typewriter import load_typewriter


def load_letters(source: str | os.PathLike[str] = "typewriter") -> Letters:
    """Load images of letters.

    Parameters
    ----------
    source : str or path
        - ``"typewriter"``: rendered from Matplotlib's fonts, no network
          (:func:`load_typewriter`);
        - ``"digits"``: scikit-learn's handwritten digits of 8 x 8 pixels (:func:`load_digits`);
        - ``"emnist"``: handwriting, downloaded once (:func:`load_emnist`);
        - the path of an ``.npz`` file with ``images``, a uint8 array of shape (n, h, w) with
          background 0 and ink 255, ``labels``, and, where known, ``styles``, the hand or font of
          each image;
        - the path of a folder with these arrays as ``images.npy``, ``labels.npy`` (and
          ``styles.npy``);
        - the path of a folder with a sub-folder of images for each letter, such as ``a/1.png``;
          the images are of one size, and colours are read as grey.

        Labels are single characters, so any alphabet will do. Integer labels stand for a to z:
        0 to 25 if a 0 occurs among them, otherwise 1 to 26 as in EMNIST. Labels that are digits
        are given as strings (``labels.astype(str)``).

    Returns
    -------
    Letters

    Raises
    ------
    FileNotFoundError
        ``source`` is neither a known name nor an existing path.
    TypeError, ValueError
        The file or folder does not hold letters in one of these forms.
    OSError
        EMNIST could not be downloaded.

    Examples
    --------
    >>> from minsyn.datasets import load_letters
    >>> letters = load_letters("typewriter")
    >>> letters.images.shape[1:], "".join(letters.alphabet)
    ((28, 28), 'abcdefghijklmnopqrstuvwxyz')
    """
    if source == "typewriter":
        return load_typewriter()
    if source == "digits":
        return load_digits()
    if source == "emnist":
        return load_emnist()
    return read_letters(Path(source).expanduser())
