"""Handwritten digits of 8 x 8 pixels, from scikit-learn."""

import numpy as np

from minsyn.datasets.letters import Letters


def load_digits() -> Letters:
    """Load scikit-learn's 1797 handwritten digits as letters "0" to "9".

    No network is needed. The 17 grey levels are scaled to 0 to 255.

    Returns
    -------
    Letters
        Images of 8 x 8 pixels. The writers are unknown, so ``styles`` is None.

    References
    ----------
    Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
    Repository, 1998, https://doi.org/10.24432/C50P49.

    Examples
    --------
    >>> from minsyn.datasets import load_digits
    >>> digits = load_digits()
    >>> digits.images.shape, "".join(digits.alphabet)
    ((1797, 8, 8), '0123456789')
    """
    from sklearn import datasets  # slow to import, and needed only here

    digits = datasets.load_digits()
    return Letters(
        images=np.rint(digits.images * (255 / 16)).astype(np.uint8),
        labels=digits.target.astype(str),
        name="digits",
    )
