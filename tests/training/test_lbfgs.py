import numpy as np
import pytest
import torch

from minsyn.datasets import make_word_images
from minsyn.nn import SOFTPLUS
from minsyn.nn.bernoulli import BernoulliObjective
from minsyn.nn.gaussian import GaussianObjective
from minsyn.training import fit_linear_encoder, lbfgs
from minsyn.training.lbfgs import SampleSpan, _loss


@pytest.fixture
def inputs(rng):
    """Two causes in six features."""
    X = np.repeat(rng.exponential(size=(60, 2)), 3, axis=1) + 0.2 * rng.normal(size=(60, 6))
    return ((X - X.mean(axis=0)) / X.std()).astype(np.float32)


def fit(inputs, **settings):
    start = np.random.default_rng(1).normal(size=(2, inputs.shape[1])).astype(np.float32)
    objective = GaussianObjective(torch.from_numpy(inputs))
    generator = torch.Generator().manual_seed(0)
    defaults = {"max_iter": 500, "tol": 1e-6, "generator": generator}
    fitted = fit_linear_encoder(
        objective, torch.nn.functional.softplus, inputs, [start], **(defaults | settings)
    )
    return objective, fitted


@pytest.mark.parametrize("rows", [60, 4])
def test_loss_is_that_of_the_weights_and_cannot_be_lowered_nearby(inputs, rows):
    """With more samples than features and with fewer."""
    inputs = inputs[:rows] - inputs[:rows].mean(axis=0)
    objective, (weights, bias, result) = fit(inputs)

    def loss(w, b):
        pre = torch.from_numpy(inputs @ w.T + b).float()
        return objective(torch.nn.functional.softplus(pre))

    assert loss(weights, bias).item() == pytest.approx(result.loss, rel=1e-3, abs=1e-4)
    rng = np.random.default_rng(2)
    for _ in range(20):
        nearby = weights + 0.01 * rng.normal(size=weights.shape)
        assert loss(nearby, bias).item() > result.loss - 1e-4


def test_weights_stay_in_the_span_of_the_samples(inputs):
    inputs = inputs[:4] - inputs[:4].mean(axis=0)
    _, (weights, _, _) = fit(inputs)
    span = np.linalg.pinv(inputs, rcond=1e-5) @ inputs
    np.testing.assert_allclose(weights @ span, weights, atol=1e-3 * np.abs(weights).max())


def test_history_falls_and_is_told(inputs):
    seen = []
    _, (_, _, result) = fit(inputs, on_iteration=lambda i, loss: seen.append((i, loss)))
    assert seen == list(enumerate(result.history, start=1))
    assert np.all(np.diff(result.history) <= 0) and result.loss == result.history[-1]


def test_the_limit_of_float32_is_convergence_and_the_limit_of_iterations_is_not(inputs):
    """On about one of these in ten the line search ends with no step that float32 sees as lower."""
    for seed in range(20):
        noise = np.random.default_rng(seed).random((60, 5))
        noise = ((noise - noise.mean(axis=0)) / noise.std()).astype(np.float32)
        assert fit(noise, tol=0.0)[1][2].converged
    assert not fit(inputs, max_iter=2)[1][2].converged


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("penalties", [(), (0.05, 0.01)])
def test_several_starts_come_near_the_best_of_them(seed, penalties):
    """Twelve features of four causes: single starts end up to twice as high."""
    rng = np.random.default_rng(seed)
    X = np.repeat(rng.exponential(size=(60, 4)), 3, axis=1) + 0.2 * rng.normal(size=(60, 12))
    inputs = ((X - X.mean(axis=0)) / X.std()).astype(np.float32)
    if penalties:
        X = 1 / (1 + np.exp(-2 * (X - X.mean(axis=0))))
        objective, activation = BernoulliObjective(torch.from_numpy(X).float()), torch.sigmoid
    else:
        objective = GaussianObjective(torch.from_numpy(inputs))
        activation = torch.nn.functional.softplus
    starts = [rng.normal(size=(4, 12)) / 12**0.5 for _ in range(8)]

    def loss(starts):
        generator = torch.Generator().manual_seed(0)
        settings = {"max_iter": 500, "tol": 1e-6, "generator": generator, "penalties": penalties}
        return fit_linear_encoder(objective, activation, inputs, starts, **settings)[2].loss

    assert loss(starts) == pytest.approx(min(loss([start]) for start in starts), rel=2e-3)


def test_penalised_starts_end_lower_than_free_ones():
    """What the penalties are for: sigmoid latents of words, fewer of which saturate at once."""
    X = make_word_images(random_state=0).train[:, ::14].astype(np.float64)
    inputs = ((X - X.mean(axis=0)) / X.std()).astype(np.float32)
    objective = BernoulliObjective(torch.from_numpy(X).float())
    losses = {}
    for penalties in ((), (0.05, 0.02, 0.007)):
        generator = torch.Generator().manual_seed(0)
        rng = np.random.default_rng(0)
        found = []
        for _ in range(4):
            starts = [rng.normal(size=(9, X.shape[1])) * X.shape[1] ** -0.5 for _ in range(2)]
            settings = {"max_iter": 500, "tol": 2e-5, "generator": generator}
            fitted = fit_linear_encoder(
                objective, torch.sigmoid, inputs, starts, penalties=penalties, **settings
            )
            found.append(fitted[2].loss)
        losses[penalties] = np.mean(found)
    assert losses[0.05, 0.02, 0.007] < losses[()]


@pytest.mark.parametrize("shape", [(5, 40), (40, 5), (6, 6)])
def test_span_keeps_what_the_samples_see_of_weights(rng, shape):
    X = rng.normal(size=shape)
    X[:, -1] = X[:, 0]  # not of full rank
    W = rng.normal(size=(3, shape[1]))
    span = SampleSpan(X)
    assert span.rank == np.linalg.matrix_rank(X)
    np.testing.assert_allclose(X @ span.weights(span.coordinates(W)).T, X @ W.T, atol=1e-10)
    basis = span.basis.double().numpy()
    np.testing.assert_allclose(basis @ span.coordinates(W).T, X @ W.T, atol=1e-5)
    assert np.mean(np.sum(basis**2, axis=1)) == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_a_fit_ends_when_ten_iterations_hardly_lower_the_loss(seed):
    """Neither at one short step nor later: the fall over ten iterations is judged."""
    X = make_word_images(random_state=0).train[:, ::7].astype(np.float64)
    inputs = ((X - X.mean(axis=0)) / X.std()).astype(np.float32)
    start = np.random.default_rng(seed).normal(size=(9, X.shape[1])) * X.shape[1] ** -0.5
    objective = GaussianObjective(torch.from_numpy(inputs))
    generator = torch.Generator().manual_seed(0)
    history = fit_linear_encoder(
        objective, SOFTPLUS, inputs, [start], max_iter=500, tol=1e-3, generator=generator
    )[2].history
    later = np.array(history[10:])
    falls = (np.array(history[:-10]) - later) / later
    assert falls[-1] <= 10 * 1e-3 < falls[:-1].min()


def test_a_start_that_is_an_optimum_is_told_too():
    """Nothing varies: there is no iteration, but a loss."""
    inputs, told = np.zeros((10, 3), np.float32), []
    objective = GaussianObjective(torch.zeros(10, 3))
    result = fit_linear_encoder(
        objective,
        SOFTPLUS,
        inputs,
        [np.ones((1, 3))],
        max_iter=5,
        tol=1e-3,
        generator=torch.Generator(),
        on_iteration=lambda *step: told.append(step),
    )[2]
    assert told == [(1, 0.0)] and result.history == [0.0] and result.converged


@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_gradients_of_several_starts_are_those_of_autograd(inputs, rng, penalty):
    objective, basis = GaussianObjective(torch.from_numpy(inputs)), SampleSpan(inputs).basis
    starts = rng.normal(size=(3, 2, basis.shape[1] + 1))
    values, gradients = _loss(objective, torch.tanh, basis, starts, penalty)
    for start, value, gradient in zip(starts, values, gradients, strict=True):
        parameters = torch.tensor(start, dtype=torch.float32, requires_grad=True)
        pre = basis @ parameters[:, :-1].T + parameters[:, -1]
        loss = objective(torch.tanh(pre)) + penalty * pre.square().sum(dim=1).mean()
        (expected,) = torch.autograd.grad(loss, parameters)
        assert value == pytest.approx(loss.item(), rel=1e-5)
        np.testing.assert_allclose(gradient, expected.numpy(), rtol=1e-3, atol=1e-5)


def test_the_comparison_of_starts_ends_without_a_penalty(inputs, rng, monkeypatch):
    seen = []
    compare = lbfgs._best_start

    def noted(*args):
        seen.append(args[4])
        return compare(*args)

    monkeypatch.setattr(lbfgs, "_best_start", noted)
    objective, starts = (
        GaussianObjective(torch.from_numpy(inputs)),
        list(rng.normal(size=(2, 1, 6))),
    )
    settings = {"max_iter": 3, "tol": 0.1, "generator": torch.Generator().manual_seed(0)}
    fit_linear_encoder(objective, torch.tanh, inputs, starts, penalties=(0.2, 0.1), **settings)
    assert seen == [(0.2, 0.1, 0.0)]
    # Of targets that do not vary, no start is better than the first.
    objective = GaussianObjective(torch.ones(len(inputs), 3))
    weights, bias, _ = fit_linear_encoder(objective, torch.tanh, inputs, starts, **settings)
    np.testing.assert_allclose(inputs @ weights.T, inputs @ starts[0].T, atol=1e-5)
    assert not bias.any()
