"""Nets as the maps of vector factors: what they are worth, and where they begin."""

import warnings

import numpy as np
import pytest
import torch
from lightning_fabric.loggers import CSVLogger
from scipy.special import logit
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from minsyn import Adam, Run, VectorMinSyn
from minsyn.data import TensorSamples
from minsyn.estimators.start import Start
from minsyn.estimators.vectors.fit import VectorProblem
from minsyn.estimators.vectors.grouping import Grouping
from minsyn.estimators.vectors.net_fit import NetSizes, _linear_part, _NetFit
from minsyn.metrics import squared_error
from minsyn.nn.group_nets import GroupDecoder
from minsyn.training import TrainingResult, training_progress

LABELS = np.repeat([0, 1], 5)
#: Two groups of three columns, and one column of both.
PARENTS = np.array([[1, 1, 1, 0, 0, 0, 1], [0, 0, 0, 1, 1, 1, 1]], dtype=bool)


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
    """Nets are added to the linear model, and begin at 0; losses are in the units of the data."""
    X, unseen = 10 * table[0], 10 * table[1]
    options = {"grouping": np.append(LABELS[1:], -1), "max_iter": 1}
    nets = {"encoder": (12, 5), "decoder": (12, 5), "solver": Adam(learning_rate=1e-12)}
    still = clone(NETS).set_params(**nets, **options)
    with pytest.warns(ConvergenceWarning):
        still.fit(X)
    assert not still.encoder_.inputs[:, 9].any() and still.decoder_.parents[:, 9].any()
    linear = VectorMinSyn([1, 1], **options).fit(X)
    assert np.allclose(still.reconstruct(unseen), linear.reconstruct(unseen), atol=1e-4)
    few = X[:19]  # none of which are held out
    with pytest.warns(ConvergenceWarning):
        loss = still.fit(few).loss_curve_[-1]
    assert loss == pytest.approx(squared_error(few, still.reconstruct(few)), rel=1e-4)
    few = 1 / (1 + np.exp(-few))
    with pytest.warns(ConvergenceWarning):
        found = still.fit(few).reconstruct(few)
    entropy = -few * np.log(found) - (1 - few) * np.log(1 - found)
    assert still.loss_curve_[-1] == pytest.approx(entropy.sum(axis=1).mean(), rel=1e-4)


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


def net_fit(X, parents=PARENTS, *, logistic=False, weights=None, layers=(4,), **options):
    """The steps of a fit of nets with one latent for each group."""
    groups = np.where(parents.sum(axis=0) == 1, parents.argmax(axis=0), 0)
    grouping = Grouping(groups, parents, np.ones(len(groups), dtype=bool))
    weights = weights or [np.ones(len(X))] * len(parents)
    problem = VectorProblem(X, grouping, np.ones(len(parents), dtype=int), weights, logistic)
    start = Start("nets", 1, 30, 1e-3, np.random.RandomState(0), False, {})
    return _NetFit(problem, NetSizes(layers, layers), Adam(**options), start, 1e-5)


class OfMeans(torch.nn.Module):
    """What is lost without latents: a module whose outputs are the same for all samples."""

    def __init__(self, natural):
        super().__init__()
        self.decoder = torch.nn.Module()
        self.decoder.intercept = torch.nn.Parameter(torch.from_numpy(natural.astype(np.float32)))

    def forward(self, x):
        return self.decoder.intercept.expand(len(x), -1)


@pytest.mark.parametrize("logistic", [False, True])
def test_losses_are_relative_to_those_of_the_means(logistic, rng):
    X = rng.random((1500, 7)) * np.linspace(0.2, 1, 7)
    mean = X.mean(axis=0)
    module = OfMeans(logit(mean) if logistic else np.zeros(7))
    of_groups = [rng.uniform(0.5, 2, size=1500) for _ in range(2)]
    for weights in (None, of_groups):
        fit = net_fit(X, logistic=logistic, weights=weights)
        losses, errors = (X - mean) ** 2, (X - mean) ** 2 / (1.0 if logistic else fit.scale**2)
        if logistic:
            losses = -X * np.log(mean) - (1 - X) * np.log(1 - mean)
        relative = 1.0
        if weights:
            # A column of both groups has the mean of their weights.
            each = np.column_stack([of_groups[0]] * 3 + [of_groups[1]] * 3 + [sum(of_groups) / 2])
            relative, errors = np.sum(each * losses) / losses.sum(), each * errors
        loss = fit._loss(module)(*fit.tensors)
        assert float(loss.detach()) == pytest.approx(relative, rel=1e-5)
        held_out = fit._held_out_loss(module, TensorSamples(*fit.tensors))
        assert held_out() == pytest.approx(errors.sum() / 1500, rel=1e-5)


def test_the_first_probabilities_are_near_their_means(rng):
    X = rng.random((200, 7)) ** np.arange(1, 8)
    fit = net_fit(X, logistic=True, layers=(16, 8))
    module = fit._module(torch.Generator().manual_seed(0), torch.arange(200))
    with torch.no_grad():
        natural = module(fit.tensors[0]).numpy()
    # Outputs of unit variance times a tenth, and two of them for the last column.
    assert np.abs(natural - logit(X.mean(axis=0))).max() < 0.75


def test_nets_begin_at_0_beside_the_linear_model_of_their_samples(rng):
    X = np.sort(rng.normal(size=(60, 7)), axis=0)
    apart = PARENTS & (np.arange(7) < [[7], [6]])
    fit, rows = net_fit(X, apart, layers=(4, 3)), torch.arange(20)  # far below the mean of all
    module = fit._module(torch.Generator().manual_seed(0), rows)
    linear, inputs = fit._linear_model(rows), fit.tensors[0]
    with torch.no_grad():
        Z = linear.encoder(inputs.double()).numpy()
        np.testing.assert_allclose(module.encoder(inputs), Z, atol=1e-5)
        np.testing.assert_allclose(
            module(inputs), Z @ linear.components + linear.intercept, atol=1e-5
        )
    for net in (module.encoder.net, module.decoder.net):
        assert [bool(weight.any()) for weight in net.weights] == [True, True, False]


def test_the_automatic_step_size_falls_with_the_widest_layer(rng):
    parents = np.equal.outer(np.arange(2), np.repeat([0, 1], [600, 400]))
    X = rng.normal(size=(3, 1000))
    steps = [net_fit(X, parents, layers=(n,)).step for n in (4, 800)]
    assert steps == pytest.approx([2 / 600, 2 / 800])
    assert net_fit(X[:, :7]).step == 0.005
    assert net_fit(X, parents, learning_rate=0.1).step == 0.1


def test_latents_are_computed_from_features_of_one_parent_where_these_are_most(rng):
    parents = np.array([[1] * 7 + [0] * 3, [0] * 6 + [1] * 4], dtype=bool)
    assert net_fit(rng.normal(size=(30, 10)), parents)._inputs().sum(axis=1).tolist() == [6, 3]
    parents[0, 8] = True
    assert net_fit(rng.normal(size=(30, 10)), parents)._inputs().sum(axis=1).tolist() == [6, 4]


@pytest.mark.parametrize("best", [(2, 2), (1, 0), (0, 0)])
def test_steps_fall_and_all_samples_are_trained_as_was_best(best, rng, monkeypatch):
    fit = net_fit(rng.normal(size=(40, 7)), learning_rate=0.1, batch_size=9, n_iter_no_change=10)
    runs, modules, made = [], [], fit._module
    fit._module = lambda *arguments: modules.append(made(*arguments)) or modules[-1]

    def trained(module, loss, samples, *, held_out_loss, **options):
        names = ("learning_rate", "max_epochs", "patience", "batch_size")
        options["on_epoch"](1, 0.5)
        held_out = (
            [] if held_out_loss is None else [abs(i - best[len(runs)]) + 1.0 for i in range(4)]
        )
        runs.append((samples.n_samples, *(options[name] for name in names)))
        return TrainingResult(0.5, [0.5] * 3, True, held_out)

    monkeypatch.setattr("minsyn.estimators.vectors.net_fit.train", trained)
    found = fit.solution()
    # An epoch of 36 samples has four steps, of which ten take three epochs.
    assert runs[:2] == [(36, 0.1, 30, 3, 9), (36, pytest.approx(0.01), 30, 3, 9)]
    assert runs[2:] == [(40, pytest.approx(0.01), best[1], best[1] + 1, 9)] * (best[1] > 0)
    assert found.converged and len(found.loss_curve) == 3 * len(runs)
    # Where nets gained nothing at any step size, it is the linear model of all samples.
    assert len(modules) == (1 if any(best) else 2)


def test_the_linear_part_of_a_linear_decoder_is_its_weights(rng):
    decoder = GroupDecoder(PARENTS, np.array([2, 1]), (3,), straight=True)
    with torch.no_grad():
        decoder.net.straight.copy_(torch.from_numpy(rng.normal(size=(2, 4, 2))))
        decoder.net.straight[1, :, 1] = 0.0
        decoder.feature_unit.fill_(3.0)
    weights = decoder.net.straight.detach().numpy()
    found = _linear_part(decoder.double(), rng.normal([3.0, -1.0, 5.0], size=(2500, 3)))
    expected = np.zeros((3, 7))
    expected[:2, PARENTS[0]], expected[2:, PARENTS[1]] = 3 * weights[0].T, 3 * weights[1, :, :1].T
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_loggers_are_told_of_every_epoch(table, tmp_path):
    logger = CSVLogger(tmp_path, name="", version="log", flush_logs_every_n_steps=1)
    model = clone(NETS).set_params(max_iter=2, solver__run=Run(loggers=[logger]))
    with pytest.warns(ConvergenceWarning):
        model.fit(table[0])
    logged = np.genfromtxt(tmp_path / "log" / "metrics.csv", delimiter=",", names=True)
    np.testing.assert_allclose(logged["loss"], model.loss_curve_)


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
    stages = ("step size 1", "step size 2", "all samples")
    assert phases == [f"VectorMinSyn, start 1 of 1, {stage}" for stage in stages]
    kept = [folder.name for folder in (tmp_path / "start-1").iterdir() if any(folder.iterdir())]
    assert sorted(kept) == ["step-size-1", "step-size-2"]
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
