import pytest
from sklearn.pipeline import Pipeline

from minsyn.benchmark import (
    DEFAULT_METHODS,
    FURTHER_METHODS,
    METHODS,
    Method,
    batch_method,
    find_methods,
)


def test_the_paper_s_table():
    paper = {key: tuple(method.paper) for key, method in METHODS.items()}
    assert paper == {
        "minsyn-bernoulli": (12.94, 48.12, 0.558),
        "minsyn-gaussian": (58.68, 91.26, 0.670),
        "ica": (49.83, 85.23, 0.824),
        "infomax": (49.83, 85.23, 0.849),
        "pca": (49.83, 85.23, 0.950),
        "autoencoder": (35.98, 73.67, 1.07),
        "denoising": (38.26, 76.40, 1.08),
    }


@pytest.mark.parametrize("key", [*DEFAULT_METHODS, *FURTHER_METHODS, "minsyn-bernoulli-batch"])
def test_estimators_take_components_and_seed(key):
    (method,) = find_methods([key])
    made = method.make(3, 7)
    estimator = made[-1] if isinstance(made, Pipeline) else made
    assert (estimator.n_components, estimator.random_state) == (3, 7)


def test_batch_size_is_part_of_the_key():
    keys = [m.key for m in find_methods(["minsyn-bernoulli-batch-4", "minsyn-bernoulli-batch"])]
    assert keys == ["minsyn-bernoulli-batch-4", "minsyn-bernoulli-batch-32"]
    assert find_methods([keys[0]])[0].leaks and not METHODS["minsyn-bernoulli"].leaks


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["autoencoders"], "methods: 'autoencoders' is unknown; did you mean 'autoencoder'?"),
        (["zzz"], "'zzz' is unknown. Known are minsyn-bernoulli, minsyn-gaussian, ica"),
        ([], "methods: none given"),
        (["minsyn-bernoulli-batch-1"], "batch_size: 1 must be at least 2"),
    ],
)
def test_bad_methods_are_named(keys, message):
    with pytest.raises(ValueError) as caught:
        find_methods(keys)
    assert message in str(caught.value)


def test_batch_of_one_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        batch_method(1)


def test_key_must_be_fit_for_a_file_name():
    with pytest.raises(ValueError, match=r"key: '\.\./x' must be made of"):
        Method("../x", "X", METHODS["pca"].make)


def test_missing_package_names_the_extra():
    method = Method("x", "X", METHODS["pca"].make, needs=("no_such_module", "infomax"))
    assert not method.is_available
    with pytest.raises(ImportError, match=r"X needs no_such_module.*'minsyn\[infomax\]'"):
        method.require()
