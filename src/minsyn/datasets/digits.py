"""Handwritten digits of 8 x 8 pixels, as scikit-learn ships them."""

import numpy as np

from minsyn.datasets.letters import Letters


def load_digits() -> Letters:
    """Load scikit-learn's 1797 handwritten digits as letters "0" to "9".

    No network is needed. Their 17 levels of ink are spread over 0 to 255.

    Returns
    -------
    Letters
        Images of 8 x 8 pixels. Who wrote which is not known, so there are no styles.

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
    from sklearn import datasets  # slow to import: only who wants digits pays for it

    digits = datasets.load_digits()
    return Letters(
        images=np.rint(digits.images * (255 / 16)).astype(np.uint8),
        labels=digits.target.astype(str),
        name="digits",
    )
