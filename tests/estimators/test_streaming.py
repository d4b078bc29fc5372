"""MinSyn on data that are read by blocks gives what it gives on the same data in memory."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from torch.utils.data import DataLoader, TensorDataset

from minsyn.data import as_samples
from minsyn.estimators import Adam, MinSyn, Run

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DECODERS = ["gaussian", "bernoulli"]
LEARNED = ("components_", "intercept_", "encoder_weights_", "encoder_bias_")


@pytest.fixture(name="X")
def unit_interval_data(rng):
    """Two causes of ten features in [0, 1], float32, a third of the values 0; one is constant."""
    causes = rng.random((203, 2)).repeat(5, axis=1)
    x = np.clip(0.7 * causes + 0.3 * rng.random((203, 10)) - 0.3, 0, None)
    x[:, 3] = 0.25
    return x.astype(np.float32)


def settings(decoder, max_iter=8, **adam):
    return {
        "decoder": decoder,
        "latents": "softplus" if decoder == "gaussian" else "auto",
        "solver": Adam(**adam),
        "max_iter": max_iter,
        "tol": 0.0,
        "random_state": 0,
    }


def assert_same_model(a, b, rtol=1e-3, atol=1e-4):
    np.testing.assert_allclose(a.loss_curve_, b.loss_curve_, rtol=1e-4)
    for name in LEARNED:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol, atol, err_msg=name)


def memmap(X, folder):
    np.save(folder / "x.npy", X)
    return np.load(folder / "x.npy", mmap_mode="r")


def npz(X, folder):
    np.savez(folder / "x.npz", X)
    return str(folder / "x.npz")


def csv(X, folder):
    pd.DataFrame(X).add_prefix("f").to_csv(folder / "x.csv", index=False)
    return folder / "x.csv"


def parquet(X, folder):
    pytest.importorskip("pyarrow")
    pd.DataFrame(X).add_prefix("f").to_parquet(folder / "x.parquet")
    return folder / "x.parquet"


FORMS = {
    "npz": npz,
    "csv": csv,
    "parquet": parquet,
    "sparse": lambda X, folder: sparse.csc_array(X),
    "dataset": lambda X, folder: TensorDataset(torch.from_numpy(X), torch.zeros(len(X))),
    "loader": lambda X, folder: DataLoader(TensorDataset(torch.from_numpy(X)), batch_size=7),
    "stream": lambda X, folder: as_samples(X),
}


@pytest.mark.parametrize("statistics", ["exact", "running"])
@pytest.mark.parametrize("decoder", DECODERS)
def test_mini_batches_are_those_of_an_array(decoder, statistics, X):
    """A stream over an array shuffles as a fit to the array does."""
    model = MinSyn(2, **settings(decoder, statistics=statistics, batch_size=32))
    streamed = copy.deepcopy(model).fit(as_samples(X))
    assert_same_model(streamed, model.fit(X))
    np.testing.assert_allclose(streamed.statistics_.cov_zx, model.statistics_.cov_zx, atol=1e-5)
    assert np.all(streamed.encoder_weights_[:, 3] == 0)
    np.testing.assert_allclose(streamed.components_[:, 3], 0, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("decoder", DECODERS)
def test_every_form_of_data(decoder, form, X, tmp_path):
    """In whole batches nothing is shuffled, and all forms give the fit to the array."""
    data = FORMS[form](X, tmp_path)
    model = MinSyn(2, **settings(decoder)).fit(data)
    whole = MinSyn(2, **settings(decoder)).fit(X)
    assert_same_model(model, whole)
    assert model.n_features_in_ == 10
    assert hasattr(model, "feature_names_in_") == (form in ("csv", "parquet"))
    np.testing.assert_allclose(model.transform(data), whole.transform(X), atol=1e-4)
    assert model.score(data) == pytest.approx(whole.score(X), rel=1e-4)
    np.testing.assert_allclose(model.reconstruct(data), whole.reconstruct(X), atol=1e-3)


@pytest.mark.parametrize("decoder", DECODERS)
def test_blocks_are_merged(decoder, X, monkeypatch):
    """Small blocks: statistics, score and latents are those of all samples."""
    whole = MinSyn(2, **settings(decoder)).fit(X)
    monkeypatch.setattr("minsyn.data.stream.BLOCK_BYTES", 40 * 20)
    data = sparse.csr_array(X)
    assert len(list(as_samples(data).blocks())) == 11
    assert whole.score(data) == pytest.approx(whole.score(X))
    np.testing.assert_allclose(whole.transform(data), whole.transform(X), rtol=1e-6)
    streamed = MinSyn(2, **settings(decoder)).fit(data)
    assert_same_model(streamed, whole)
    mixed = MinSyn(2, **settings(decoder, batch_size=50, max_iter=30)).fit(data)
    assert mixed.score(X) == pytest.approx(
        MinSyn(2, **settings(decoder, batch_size=50, max_iter=30)).fit(X).score(X), rel=0.1
    )


def test_float64_far_from_the_origin(X):
    far = X.astype(np.float64) + 1e6
    near = MinSyn(2, **settings("gaussian", batch_size=50)).fit(X.astype(np.float64))
    streamed = MinSyn(2, **settings("gaussian", batch_size=50)).fit(as_samples(far))
    np.testing.assert_allclose(streamed.components_, near.components_, atol=1e-3)
    assert streamed.score(as_samples(far)) == pytest.approx(near.score(X.astype(np.float64)), 1e-3)


@pytest.mark.parametrize("decoder", DECODERS)
def test_nothing_varies(decoder):
    model = MinSyn(2, **settings(decoder, max_iter=2)).fit(sparse.csr_array(np.full((40, 3), 0.5)))
    assert np.isfinite(model.components_).all() and np.all(model.components_ == 0)
    np.testing.assert_allclose(model.reconstruct(np.full((1, 3), 0.5)), 0.5, atol=1e-6)


def test_windows_count_steps(X):
    """50 steps of 7 a pass are a window of 8 passes; two are compared."""
    model = MinSyn(2, tol=1.0, solver=Adam(batch_size=32), random_state=0).fit(as_samples(X))
    assert model.converged_ and model.n_iter_ == 16
    with pytest.warns(ConvergenceWarning, match="max_iter=3") as warned:
        MinSyn(2, max_iter=3, tol=0.0).fit(as_samples(X))
    assert warned[0].filename == __file__


def test_unfit_data(X, tmp_path):
    outside, missing = X.copy(), X.copy()
    outside[7, 2], missing[7, 2] = 1.5, np.nan
    with pytest.raises(ValueError, match=r"x.npz.*ranges from 0 to 1.5"):
        MinSyn(2, decoder="bernoulli").fit(npz(outside, tmp_path))
    with pytest.raises(ValueError, match="row 7, column 2 is nan"):
        MinSyn(2, decoder="bernoulli").fit(sparse.csr_array(missing))
    with pytest.raises(ValueError, match="one sample; a minimum of 2"):
        MinSyn(2).fit(sparse.csr_array(X[:1]))
    with pytest.raises(ValueError, match="at most the number of features"):
        MinSyn(11).fit(sparse.csr_array(X))
    with pytest.raises(FileNotFoundError):
        MinSyn(2).fit(tmp_path / "none.npy")


def test_a_memmap_is_an_array(X, tmp_path):
    """joblib passes arrays above 1 MB to its workers as memmaps: the model must not change."""
    mapped = MinSyn(2, random_state=0).fit(memmap(X, tmp_path))
    assert np.array_equal(mapped.components_, MinSyn(2, random_state=0).fit(X).components_)


def test_lbfgs_needs_an_array(X):
    with pytest.raises(ValueError, match=r"found data that are read by blocks.*Use.*Adam\(\)"):
        MinSyn(2, solver="lbfgs").fit(sparse.csr_array(X))


def test_columns_are_known_by_name(X, tmp_path):
    path = csv(X, tmp_path)
    model = MinSyn(2, **settings("gaussian")).fit(path)
    assert list(model.feature_names_in_) == [f"f{j}" for j in range(10)]
    frame = pd.read_csv(path)
    frame["text"] = "none"
    frame[frame.columns[::-1]].to_csv(tmp_path / "y.csv", index=False)
    np.testing.assert_allclose(model.transform(tmp_path / "y.csv"), model.transform(path))
    with pytest.raises(ValueError, match="names of the features must be those"):
        model.transform(as_samples(tmp_path / "y.csv", list(frame.columns[9::-1])))
    with pytest.raises(ValueError, match="has 3 features, but 10 are expected"):
        model.transform(sparse.csr_array(X[:, :3]))
    assert not hasattr(model.fit(sparse.csr_array(X)), "feature_names_in_")


class StoppedError(Exception):
    """In place of a kill."""


@pytest.mark.parametrize("decoder", DECODERS)
def test_goes_on_from_a_checkpoint(decoder, X, tmp_path, monkeypatch):
    data = npz(X, tmp_path)
    options = settings(decoder, batch_size=40)
    undisturbed = MinSyn(2, **options).fit(data)
    run = Run(checkpoint_dir=tmp_path / "run", checkpoint_every=0)
    model = MinSyn(2, **settings(decoder, batch_size=40, run=run))
    epochs = []

    def stop(self, *arguments):
        epochs.append(arguments)
        if len(epochs) == 7 * 6:
            raise StoppedError
        return step(self, *arguments)

    step = torch.optim.Adam.step
    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        patch.setattr(torch.optim.Adam, "step", stop)
        model.fit(data)
    assert np.array_equal(model.fit(data).components_, undisturbed.components_)
    assert model.loss_curve_ == undisturbed.loss_curve_


def test_device_path_is_the_same_fit(X):
    """Through Fabric, in double precision: losses by autograd."""
    pytest.importorskip("lightning_fabric")
    for decoder in DECODERS:
        model = MinSyn(2, **settings(decoder, batch_size=50))
        double = MinSyn(2, **settings(decoder, batch_size=50, run=Run(precision="64-true")))
        assert_same_model(model.fit(as_samples(X)), double.fit(as_samples(X)))


def batches(X, n, rng):
    return (X[rng.choice(len(X), 100, replace=False)] for _ in range(n))


@pytest.mark.parametrize("decoder", DECODERS)
def test_partial_fit_learns(decoder, X, rng):
    model = MinSyn(2, decoder=decoder, solver=Adam(learning_rate=0.1), random_state=0)
    for x in batches(X, 100, rng):
        model.partial_fit(x)
    fitted = MinSyn(2, **settings(decoder, max_iter=200)).fit(X)
    untrained = MinSyn(2, **settings(decoder, max_iter=1)).fit(X)
    gap = fitted.score(X) - untrained.score(X)
    assert model.score(X) > fitted.score(X) - 0.1 * gap
    assert model.n_iter_ == len(model.loss_curve_) == 100 and not model.converged_


@pytest.mark.parametrize("decoder", DECODERS)
def test_partial_fit_takes_the_steps_of_fit(decoder, X):
    steps = MinSyn(2, **settings(decoder))
    for _ in range(8):
        steps.partial_fit(X)
    fit = MinSyn(2, **settings(decoder, max_iter=8)).fit(X)
    np.testing.assert_allclose(steps.loss_curve_, fit.loss_curve_, rtol=1e-4)
    parts = MinSyn(2, **settings(decoder)).partial_fit(sparse.csr_array(X))
    np.testing.assert_allclose(parts.loss_curve_, steps.loss_curve_[:1])


def test_a_feature_that_varies_later_is_learned(X, rng):
    late = X.copy()
    late[:, 0] = 0.5
    model = MinSyn(2, latents="softplus", random_state=0).partial_fit(late)
    assert np.all(model.encoder_weights_[:, 0] == 0) and np.all(model.components_[:, 0] == 0)
    for x in batches(X, 100, rng):
        model.partial_fit(x)
    assert np.abs(model.encoder_weights_[:, 0]).max() > 1e-2
    residual = (X - model.reconstruct(X))[:, 0]
    assert residual.var() < 0.5 * X[:, 0].var()
    assert np.all(model.encoder_weights_[:, 3] == 0)


@pytest.mark.parametrize("decoder", DECODERS)
def test_partial_fit_goes_on(decoder, X, tmp_path):
    """From a pickle with the state of Adam, from a fit or a saved model with its encoder."""
    model = MinSyn(2, **settings(decoder)).partial_fit(X).partial_fit(X)
    restored = pickle.loads(pickle.dumps(model))
    assert np.array_equal(restored.partial_fit(X).components_, model.partial_fit(X).components_)
    fitted = MinSyn(2, **settings(decoder, max_iter=100)).fit(X)
    fitted.save(tmp_path / "model")
    score = fitted.score(X)
    loaded = MinSyn.load(tmp_path / "model").partial_fit(X)
    fitted.partial_fit(X)
    np.testing.assert_allclose(loaded.components_, fitted.components_, rtol=1e-4, atol=1e-6)
    assert fitted.n_iter_ == 101
    untrained = MinSyn(2, **settings(decoder, max_iter=1)).fit(X).score(X)
    assert fitted.score(X) > score - 0.5 * (score - untrained)
    assert MinSyn(2, **settings(decoder)).fit(X).score(X) == model.fit(X).score(X)


def test_what_partial_fit_refuses(X, tmp_path):
    with pytest.raises(ValueError, match=r"partial_fit.*checkpoint_dir"):
        MinSyn(2, solver=Adam(run=Run(checkpoint_dir=tmp_path))).partial_fit(X)
    assert not hasattr(MinSyn(solver="lbfgs"), "partial_fit")
    with pytest.raises(TypeError, match=r"one batch.*found str. Use fit"):
        MinSyn(2).partial_fit("data.npy")
    with pytest.raises(ValueError, match="minimum of 2"):
        MinSyn(2).partial_fit(X[:1])
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        MinSyn(2, decoder="bernoulli").partial_fit(X + 1)


def test_partial_fit_after_a_change_of_scale(X):
    """The state of training is in the units of its data, and belongs to one model."""
    mean, scale = X.mean(axis=0), 10.0 * np.ones(X.shape[1])
    original = MinSyn(2, **settings("gaussian")).partial_fit((X - mean) / scale)
    rescaled = original.rescaled(mean, scale)
    before = original.encoder_weights_.copy()
    assert rescaled.partial_fit(X).score(X) > -1.05 * X.var(axis=0).sum()
    np.testing.assert_array_equal(original.encoder_weights_, before)
    untouched = MinSyn(2, **settings("gaussian")).partial_fit((X - mean) / scale)
    original.partial_fit((X - mean) / scale)
    untouched.partial_fit((X - mean) / scale)
    np.testing.assert_array_equal(original.components_, untouched.components_)


def test_parameters_that_change_between_calls_of_partial_fit(X):
    model = MinSyn(2, solver=Adam(learning_rate=0.1), random_state=0).partial_fit(X)
    with pytest.raises(ValueError, match="continues from a fit with GaussianDecoder"):
        model.set_params(decoder="bernoulli").partial_fit(X)
    with pytest.raises(ValueError, match="fitted with another encoder"):
        model.set_params(decoder="gaussian", encoder=(4,)).partial_fit(X)
    model.set_params(encoder="linear", solver__learning_rate=1e-9)
    before = model.encoder_weights_.copy()
    np.testing.assert_allclose(model.partial_fit(X).encoder_weights_, before, rtol=1e-5)
