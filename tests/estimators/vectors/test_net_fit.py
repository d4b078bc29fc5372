"""Nets as the maps of vector factors: what they are worth, and where they begin."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from minsyn import Adam, Run, VectorMinSyn
from minsyn.metrics import squared_error
from minsyn.training import training_progress

LABELS = np.repeat([0, 1], 5)


def curved_table(n_samples, rng):
    """Two groups of columns, each with one cause on which they depend in five ways."""
    t = rng.uniform(-1, 1, size=(n_samples, 2, 1))
    curves = [2 * t, 2 * t**2, np.sin(3 * t), np.cos(3 * t), np.abs(2 * t)]
    X = np.concatenate(curves, axis=2).reshape(n_samples, 10)
    return X + 0.05 * rng.normal(size=X.shape)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return curved_table(200, rng), curved_table(200, rng)


NETS = VectorMinSyn(
    [1, 1],
    grouping=LABELS,
    encoder=(12,),
    decoder=(12,),
    solver=Adam(learning_rate=0.03, batch_size=100, n_iter_no_change=40),
    max_iter=40,
    random_state=0,
)


@pytest.fixture(scope="module")
def fitted(table):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return clone(NETS).fit(table[0])


def test_nets_follow_curves_that_lines_cannot(table, fitted):
    X, unseen = table
    linear = VectorMinSyn([1, 1], grouping=LABELS).fit(X)
    curved, straight = (squared_error(unseen, m.reconstruct(unseen)) for m in (fitted, linear))
    assert curved < 0.1 * straight
    assert fitted.score(unseen) == pytest.approx(-curved)


def test_latents_have_mean_0_and_unit_variance(table, fitted):
    Z = fitted.transform(table[0])
    assert np.allclose(Z.mean(axis=0), 0, atol=1e-8) and np.allclose(Z.std(axis=0), 1)


def test_components_are_the_linear_part_of_the_decoder(table, fitted):
    X, _ = table
    Z, natural = fitted.transform(X), fitted.reconstruct(X)
    slopes = np.linalg.lstsq(Z[:, :1], natural[:, :5] - natural[:, :5].mean(axis=0), rcond=None)[0]
    assert np.allclose(fitted.components_[0, :5], slopes, atol=1e-6)
    assert np.all(fitted.components_[0, 5:] == 0) and np.all(fitted.components_[1, :5] == 0)
    assert np.allclose(fitted.intercept_, fitted.inverse_transform(np.zeros((1, 2)))[0])


def test_saved_and_rescaled(table, fitted, tmp_path):
    X, _ = table
    fitted.save(tmp_path)
    assert np.array_equal(VectorMinSyn.load(tmp_path).reconstruct(X), fitted.reconstruct(X))
    scale, mean = np.linspace(1, 3, 10), np.linspace(-9, 9, 10)
    rescaled = fitted.rescaled(mean, scale)
    assert np.allclose(rescaled.reconstruct(mean + scale * X), mean + scale * fitted.reconstruct(X))
    assert np.allclose(rescaled.intercept_, rescaled.inverse_transform(np.zeros((1, 2)))[0])


def test_without_training_it_is_the_linear_model(table):
    """Nets are added to the linear model, and begin at 0."""
    X, unseen = table
    options = {"grouping": np.append(LABELS[1:], -1), "max_iter": 1}
    still = clone(NETS).set_params(solver=Adam(learning_rate=1e-12), **options)
    with pytest.warns(ConvergenceWarning):
        still.fit(X)
    assert not still.encoder_.inputs[:, 9].any() and still.decoder_.parents[:, 9].any()
    linear = VectorMinSyn([1, 1], **options).fit(X)
    assert np.allclose(still.reconstruct(unseen), linear.reconstruct(unseen), atol=1e-5)


def test_probabilities_with_several_parents_and_weights(rng, tmp_path):
    """The product of two columns has both groups as parents, and is no input of either."""
    causes = np.repeat(rng.integers(0, 2, size=(100, 2)), 6, axis=1)
    X = np.abs(causes - 0.1)
    X = np.column_stack([X, X[:, :1] * X[:, 6:7]])
    model = VectorMinSyn(
        [1, 1],
        n_groups=2,
        max_parents=2,
        encoder=(4,),
        solver=Adam(learning_rate=0.05, n_iter_no_change=20),
        max_iter=40,
        random_state=0,
    )
    with pytest.warns(ConvergenceWarning):
        model.fit(X)
    assert model.link_ == "logit" and model.parents_[:, 12].all()
    Z, natural = model.transform(X), model.decoder_
    assert squared_error(X, model.reconstruct(X)) < 0.2 * X.var(axis=0).sum()
    model.save(tmp_path)
    assert np.array_equal(VectorMinSyn.load(tmp_path).transform(X), Z)
    # Of its seven features, each group reads the six that it shares with none.
    assert np.array_equal(model.encoder_.inputs.numpy(), model.parents_ & ~model.parents_.all(0))
    assert natural.hidden == () and model.encoder_.hidden == (4,)
    assert np.all((model.inverse_transform(Z) > 0) & (model.inverse_transform(Z) < 1))


def test_sample_weights_count(table):
    X, _ = table
    X = 1 / (1 + np.exp(3 * X))  # within (0, 1), where nothing but nets is weighted
    with pytest.warns(ConvergenceWarning):
        fits = [clone(NETS).set_params(balance=b, max_iter=2).fit(X) for b in (False, True)]
    assert not np.allclose(*(fit.reconstruct(X) for fit in fits), rtol=1e-3)


class StoppedError(Exception):
    """What interrupts a fit."""


def test_resumes_to_the_bit(table, tmp_path, monkeypatch):
    X, _ = table
    options = {"max_iter": 3, "solver__run": Run(checkpoint_dir=tmp_path, checkpoint_every=0)}
    model = clone(NETS).set_params(**options)
    phases = []

    def stop(description, max_epochs, **options):
        phases.append(description)
        if len(phases) == 3:
            raise StoppedError
        return training_progress(description, max_epochs, **options)

    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        patch.setattr("minsyn.estimators.vectors.net_fit.training_progress", stop)
        model.fit(X)
    assert phases[2].endswith("all samples")
    with pytest.warns(ConvergenceWarning):
        resumed = model.fit(X)
        undisturbed = clone(NETS).set_params(max_iter=3).fit(X)
    assert np.array_equal(resumed.reconstruct(X), undisturbed.reconstruct(X))
    assert resumed.loss_curve_ == undisturbed.loss_curve_


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoder": (0,)}, "encoder=.* sizes of the hidden layers"),
        ({"decoder": (2.5,)}, "decoder=.* sizes of the hidden layers"),
        ({"encoder": ()}, "encoder=.* sizes of the hidden layers"),
        ({"solver": Adam()}, "is for nets: set encoder or decoder"),
        ({"encoder": (3,), "solver": Adam(statistics="running")}, "statistics='running'"),
        ({"encoder": (3,), "solver": Adam(batch_size=1)}, "batch_size"),
    ],
)
def test_options_that_cannot_be(options, message, table):
    with pytest.raises(ValueError, match=message):
        VectorMinSyn(**options).fit(table[0])


@pytest.mark.parametrize("n_samples", [2, 25])
def test_hard_tables(n_samples, rng):
    """Few samples, and a column that never varies or is huge."""
    X = 1e6 + rng.normal(size=(n_samples, 4))
    X[:, 1] = 7.0
    model = clone(NETS).set_params(n_components=1, grouping=np.zeros(4, int), max_iter=2)
    with pytest.warns(ConvergenceWarning):
        assert np.isfinite(model.fit(X).reconstruct(X)).all()
    assert np.allclose(model.reconstruct(X)[:, 1], 7.0)
