import numpy as np
import pytest
import torch

from minsyn.estimators import Adam, Free, MinSyn
from minsyn.estimators.feed import start_decoder
from minsyn.estimators.module import MinSynModule
from minsyn.information import PairwiseStatistics
from minsyn.information.ci import bernoulli, gaussian
from minsyn.nn import BernoulliDecoder, FreeDecoder, GaussianDecoder, ci_synergy_penalty

MAPS = {"gaussian": gaussian.ci_linear_map, "bernoulli": bernoulli.ci_linear_map}
WEIGHTS = (0, 1.0, 100.0, np.inf)


def kind_of(model):
    return model.decoder.decoder if isinstance(model.decoder, Free) else model.decoder


def decoders_synergy(model, X):
    """What is penalised, from the fitted estimator alone."""
    arrays = (model.transform(X), X.astype(float), model.components_, model.intercept_)
    penalty = ci_synergy_penalty(
        *(torch.from_numpy(np.asarray(a, float)) for a in arrays), observations=kind_of(model)
    )
    return float(penalty)


@pytest.fixture(scope="module", params=MAPS)
def curve(request):
    """Causes that every feature mixes: free codes combine."""
    rng = np.random.default_rng(0)
    causes = rng.random((200, 4))
    mixing = rng.dirichlet(np.full(4, 0.5), size=24)
    X = np.clip(causes @ mixing.T + 0.05 * rng.normal(size=(200, 24)), 0, 1)
    return X, {
        weight: MinSyn(
            4,
            decoder=request.param if weight == np.inf else Free(request.param, weight),
            solver=Adam(),
            max_iter=400,
            random_state=0,
        ).fit(X)
        for weight in WEIGHTS
    }


def test_loss_rises_and_synergy_falls_with_the_weight(curve):
    X, models = curve
    losses = [-models[weight].score(X) for weight in WEIGHTS]
    assert losses[0] < losses[1] < losses[3]
    penalties = [decoders_synergy(models[weight], X) for weight in WEIGHTS]
    assert penalties[0] > penalties[1] > penalties[2] > penalties[3] - 1e-9
    assert penalties[3] == pytest.approx(0, abs=1e-9)
    synergies = [
        models[weight].synergy(X, measures="ci_synergy").means["ci_synergy"] for weight in WEIGHTS
    ]
    assert synergies[0] > synergies[1] > synergies[3]


def test_a_large_weight_is_nearly_the_closed_form(curve):
    X, models = curve
    model = models[100.0]
    assert model.score(X) == pytest.approx(models[np.inf].score(X), rel=0.05)
    ci, _ = MAPS[kind_of(model)](PairwiseStatistics.of(model.transform(X), X.astype(float)))
    far = np.linalg.norm(models[0].components_ - MAPS[kind_of(model)](models[0].statistics_)[0])
    assert np.linalg.norm(model.components_ - ci) < 0.1 * far


@pytest.mark.parametrize("decoder", MAPS)
@pytest.mark.parametrize("batch_size", [None, 25])
def test_components_are_the_trained_decoders(decoder, batch_size, rng):
    """The training loss, recomputed from the fitted estimator alone."""
    X = rng.random((50, 5))
    model = MinSyn(
        2,
        decoder=Free(decoder, synergy_weight=0.5),
        solver=Adam(batch_size=batch_size),
        max_iter=150,
        random_state=0,
    ).fit(X)
    loss = -model.score(X) + 0.5 * decoders_synergy(model, X)
    assert min(model.loss_curve_) == pytest.approx(loss, rel=1e-4 if batch_size is None else 0.05)


@pytest.mark.parametrize("weight", [0, 1.0])
def test_origin_scale_and_constants(weight, rng):
    X = np.column_stack([rng.random((50, 4)), np.full(50, 0.3)])
    settings = {"decoder": Free(synergy_weight=weight), "max_iter": 50, "random_state": 0}
    near, far = MinSyn(2, **settings).fit(X), MinSyn(2, **settings).fit(100 * X + 1e3)
    np.testing.assert_allclose(far.reconstruct(100 * X + 1e3), 100 * near.reconstruct(X) + 1e3)
    np.testing.assert_allclose(near.reconstruct(X)[:, 4], 0.3, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "kind"), [(GaussianDecoder, "gaussian"), (BernoulliDecoder, "bernoulli")]
)
@pytest.mark.parametrize("follows", [False, True])
def test_starts_without_synergy(make, kind, follows):
    z, x = torch.rand(40, 2), torch.rand(40, 3)
    decoder = FreeDecoder(make(2, 3), synergy_weight=2.0, follows=follows)
    decoder.start_from(PairwiseStatistics.of(z, x))
    expected = MAPS[kind](PairwiseStatistics.of(z, x))
    for found, ci in zip(decoder.linear_map(z, x), expected, strict=True):
        torch.testing.assert_close(found, ci)
    plain = FreeDecoder(make(2, 3), synergy_weight=0.0, follows=follows)
    plain.start_from(PairwiseStatistics.of(z, x))
    torch.testing.assert_close(decoder.loss(z, x), plain.loss(z, x))
    assert float(make(2, 3).synergy_penalty(z, x, *expected)) == pytest.approx(0, abs=1e-5)


def test_a_large_weight_shortens_the_decoders_steps(rng):
    """The distance from the closed form falls with 1 / (1 + weight), and so must Adam's step."""
    X = np.repeat(rng.random((100, 2)), 4, axis=1) + 0.1 * rng.random((100, 8))
    settings = {"max_iter": 100, "random_state": 0}
    closed = MinSyn(2, latents="softplus", solver=Adam(), **settings).fit(X)
    heavy = MinSyn(2, decoder=Free(synergy_weight=1e4), **settings).fit(X)
    np.testing.assert_allclose(heavy.loss_curve_, closed.loss_curve_, rtol=0.1)


def test_gk_penalty_draws_towards_the_single_parent(rng):
    X = rng.random((60, 2)) @ rng.random((2, 6)) + 0.1 * rng.random((60, 6))
    near = MinSyn(2, decoder=Free("single-parent", 100.0), max_iter=300, random_state=0).fit(X)
    free = MinSyn(2, decoder=Free("single-parent", 0.0), max_iter=300, random_state=0).fit(X)

    def second_to_first(model):
        std = model.transform(X).std(axis=0)[:, np.newaxis]
        weights = np.sort(np.abs(model.components_ * std), axis=0)
        return np.mean(weights[0] / weights[1])

    assert second_to_first(near) < 0.5 * second_to_first(free)


def test_saved_and_loaded(rng, tmp_path):
    X = rng.random((30, 4))
    model = MinSyn(2, decoder=Free(synergy_weight=3), max_iter=20, random_state=0).fit(X)
    model.save(tmp_path)
    loaded = MinSyn.load(tmp_path)
    assert loaded.decoder.synergy_weight == 3
    assert np.array_equal(loaded.reconstruct(X), model.reconstruct(X))


def test_samples_may_lie_where_the_module_is_not_yet():
    """As on a GPU, where the samples are put before training moves the module there."""

    class Elsewhere:
        def __init__(self, tensor):
            self.tensor = tensor

        def to(self, device):
            return self.tensor.to(device)

    class FarSamples:
        def batches(self, *arguments):
            yield (Elsewhere(x),)

    class FarFeed:
        samples = FarSamples()

        def latents(self, module, batch):
            return module(batch[0])

    x = torch.rand(40, 3)
    decoder = FreeDecoder(GaussianDecoder(2, 3))
    module = MinSynModule(torch.nn.Linear(3, 2), decoder, torch.Generator())
    start_decoder(module, FarFeed(), None)
    assert torch.all(decoder.start_weight != 0)
