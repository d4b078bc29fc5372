import numpy as np
import pytest

from minsyn.benchmark import (
    DEFAULT_METHODS,
    METHODS,
    Experiment,
    Method,
    decoder_maps,
    find_methods,
)
from minsyn.datasets import load_letters


def test_the_paper_s_table():
    paper = {key: tuple(method.paper) for key, method in METHODS.items() if method.paper}
    assert paper == {
        "minsyn-bernoulli": (12.94, 48.12, 0.558),
        "minsyn-gaussian": (58.68, 91.26, 0.670),
        "ica": (49.83, 85.23, 0.824),
        "infomax": (49.83, 85.23, 0.849),
        "pca": (49.83, 85.23, 0.950),
        "autoencoder": (35.98, 73.67, 1.07),
        "denoising": (38.26, 76.40, 1.08),
    }


@pytest.fixture(scope="module")
def ink():
    """Two characters of a few shapes each, with noise, in [0, 1]."""
    rng = np.random.default_rng(0)
    shapes = rng.random((2, 4, 6))
    X = np.hstack([shapes[i, rng.integers(4, size=40)] for i in range(2)])
    return np.clip(X + rng.normal(0, 0.05, X.shape), 0, 1)


@pytest.mark.parametrize("key", [key for key in METHODS if key != "infomax"])
def test_estimators_have_the_components_and_the_seed_they_are_given(key, ink):
    def fitted(seed):
        estimator = METHODS[key].make(3, seed)
        if "max_iter" in estimator.get_params():
            estimator.set_params(max_iter=20)
        return estimator.fit(ink)

    first, again = fitted(7), fitted(7)
    assert decoder_maps(first).shape == (3, 12)
    np.testing.assert_array_equal(decoder_maps(first), decoder_maps(again))
    if key in ("minsyn-gaussian", "minsyn-bernoulli", "autoencoder", "denoising", "ica"):
        assert not np.array_equal(decoder_maps(first), decoder_maps(fitted(8)))


def test_default_methods_are_the_papers_and_what_they_are_compared_with():
    assert DEFAULT_METHODS[7:] == ("minsyn-vector", "oracle")
    assert all(METHODS[key].paper for key in DEFAULT_METHODS[:7])


def test_a_renamed_method_keeps_its_random_numbers(own_method):
    letters = load_letters("typewriter")
    renamed = Method("renamed", "R", own_method.make, stream="own")
    seeds = {m.key: Experiment(letters, (m,)).random_state(m, 1) for m in (own_method, renamed)}
    assert seeds["own"] == seeds["renamed"]
    other = Method("other", "O", own_method.make)
    assert Experiment(letters, (other,)).random_state(other, 1) != seeds["own"]


def test_unbounded_values_have_an_estimator_of_their_own(ink):
    (autoencoder,) = find_methods(["autoencoder"])
    for X, bounded in ((ink, True), (9 * ink - 4, False)):
        make = autoencoder.make if bounded else autoencoder.make_unbounded
        X_hat = make(3, 0).set_params(max_iter=300, learning_rate=0.05).fit(X).reconstruct(X)
        assert (X_hat.min() >= 0 and X_hat.max() <= 1) == bounded


def test_methods_of_ones_own_are_found(own_method):
    assert find_methods(["own", "own"], {"own": own_method}) == (own_method,)
    with pytest.raises(ValueError, match="'owm' is unknown; did you mean 'own'"):
        find_methods(["owm"], {"own": own_method})


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["autoencoders"], "methods: 'autoencoders' is unknown; did you mean 'autoencoder'?"),
        (["zzz"], "'zzz' is unknown. Known are minsyn-bernoulli, minsyn-gaussian, ica"),
        ([], "methods: none given"),
    ],
)
def test_bad_methods_are_named(keys, message):
    with pytest.raises(ValueError) as caught:
        find_methods(keys)
    assert message in str(caught.value)


def test_key_must_be_fit_for_a_file_name():
    with pytest.raises(ValueError, match=r"key: '\.\./x' must be made of"):
        Method("../x", "X", METHODS["pca"].make)


def test_missing_package_names_the_extra():
    method = Method("x", "X", METHODS["pca"].make, needs=("no_such_module", "infomax"))
    assert not method.is_available
    with pytest.raises(ImportError, match=r"X needs no_such_module.*'minsyn\[infomax\]'"):
        method.require()
