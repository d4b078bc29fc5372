"""Adjusted information of explained variance, in the cases that decide it."""

import numpy as np
import pytest

from minsyn.information.gaussian_groups import adjusted_information


def test_nothing_is_learned_from_as_many_sources_as_samples():
    explained = np.array([1.0, 0.5])
    assert adjusted_information(explained, 10, 9).tolist() == [0, 0]


def test_sources_without_information_have_about_none(rng):
    noise, target = rng.normal(size=(20, 15)), rng.normal(size=(20, 2000))
    noise, target = noise - noise.mean(axis=0), target - target.mean(axis=0)
    residual = target - noise @ np.linalg.lstsq(noise, target)[0]
    explained = 1 - residual.var(axis=0) / target.var(axis=0)
    assert np.median(-0.5 * np.log(1 - explained)) > 0.6
    assert np.median(adjusted_information(explained, 20, 15)) < 0.2


def test_many_samples_need_no_correction():
    explained = np.array([0.0, 0.3, 0.9])
    found = adjusted_information(explained, 1e9, 5)
    assert found == pytest.approx(-0.5 * np.log(1 - explained), abs=1e-7)
    # As none do where nothing was fitted.
    assert adjusted_information(explained, 10, 0) == pytest.approx(found, abs=1e-7)


def test_lists_and_what_is_refused():
    nats = adjusted_information([0.2, 0.5], 101, 2)
    np.testing.assert_array_equal(adjusted_information(np.array([0.2, 0.5]), 101, 2), nats)
    for arguments, message in (
        (([1.2], 10, 1), "from 0 to 1"),
        (([0.2], 1, 1), "above 1"),
        (([0.2], 10, -1), "at least 0"),
        (([0.2, 0.1], 10, [1, 2, 3]), "fit each other"),
    ):
        with pytest.raises(ValueError, match=message):
            adjusted_information(*arguments)
