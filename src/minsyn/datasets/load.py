"""Loader for letters from any source."""

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
        - the path of an ``.npz`` file with the arrays ``images`` (uint8, of shape (n, h, w), with
          background 0 and ink 255), ``labels`` and, optionally, ``styles`` (the handwriting or font
          of each image);
        - the path of a folder with these arrays as ``images.npy``, ``labels.npy`` and, optionally,
          ``styles.npy``;
        - the path of a folder with a sub-folder of images for each letter, such as ``a/1.png``.
          All images have the same size. Colours are converted to grey.

        Labels are single characters of any alphabet. Integer labels stand for a to z: 0 to 25 if a
        0 occurs among them, otherwise 1 to 26 as in EMNIST. For images of digits, pass the labels
        as strings (``labels.astype(str)``).

    Returns
    -------
    Letters

    Raises
    ------
    FileNotFoundError
        If ``source`` is neither a known name nor an existing path.
    TypeError, ValueError
        If the file or folder has none of these formats.
    OSError
        If EMNIST cannot be downloaded.

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
