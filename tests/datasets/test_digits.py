import numpy as np
from sklearn import datasets

from minsyn.datasets import load_digits, load_letters


def test_digits_are_those_of_scikit_learn():
    digits, theirs = load_digits(), datasets.load_digits()
    assert digits.images.dtype == np.uint8 and digits.images.max() == 255
    np.testing.assert_allclose(digits.images / 255, theirs.images / 16, atol=1 / 255)
    assert [int(label) for label in digits.labels] == theirs.target.tolist()
    assert np.array_equal(load_letters("digits").images, digits.images)
