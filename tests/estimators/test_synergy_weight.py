import numpy as np
import pytest
import torch

from minsyn.estimators import MinSyn
from minsyn.estimators._free_decoder import FreeDecoder
from minsyn.information import PairwiseStatistics
from minsyn.information.ci import bernoulli, gaussian
from minsyn.nn import ci_synergy_penalty

MAPS = {"gaussian": gaussian.ci_linear_map, "bernoulli": bernoulli.ci_linear_map}
WEIGHTS = (0, 1.0, 100.0, np.inf)


def decoders_synergy(model, X):
    """What is penalised, from the fitted estimator alone."""
    arrays = (model.transform(X), X.astype(float), model.components_, model.intercept_)
    penalty = ci_synergy_penalty(
        *(torch.from_numpy(np.asarray(a, float)) for a in arrays), observations=model.decoder
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
            decoder=request.param,
            synergy_weight=weight,
            solver="adam",
            max_iter=800,
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
    synergies = [models[weight].synergy_report(X).mean["ci_synergy"] for weight in WEIGHTS]
    assert synergies[0] > synergies[1] > synergies[3]


def test_a_large_weight_is_nearly_the_closed_form(curve):
    X, models = curve
    model = models[100.0]
    assert model.score(X) == pytest.approx(models[np.inf].score(X), rel=0.05)
    ci, _ = MAPS[model.decoder](PairwiseStatistics.of(model.transform(X), X.astype(float)))
    far = np.linalg.norm(models[0].components_ - MAPS[model.decoder](models[0].statistics_)[0])
    assert np.linalg.norm(model.components_ - ci) < 0.1 * far


@pytest.mark.parametrize("decoder", MAPS)
@pytest.mark.parametrize("batch_size", [None, 25])
def test_components_are_the_trained_decoders(decoder, batch_size, rng):
    """The training loss, recomputed from the fitted estimator alone."""
    X = rng.random((50, 5))
    model = MinSyn(
        2,
        decoder=decoder,
        synergy_weight=0.5,
        batch_size=batch_size,
        max_iter=150,
        random_state=0,
    ).fit(X)
    loss = -model.score(X) + 0.5 * decoders_synergy(model, X)
    assert min(model.loss_curve_) == pytest.approx(loss, rel=1e-4 if batch_size is None else 0.05)


@pytest.mark.parametrize("weight", [0, 1.0])
def test_origin_scale_and_constants(weight, rng):
    X = np.column_stack([rng.random((50, 4)), np.full(50, 0.3)])
    settings = {"synergy_weight": weight, "max_iter": 50, "random_state": 0}
    near, far = MinSyn(2, **settings).fit(X), MinSyn(2, **settings).fit(100 * X + 1e3)
    np.testing.assert_allclose(far.reconstruct(100 * X + 1e3), 100 * near.reconstruct(X) + 1e3)
    np.testing.assert_allclose(near.reconstruct(X)[:, 4], 0.3, atol=1e-6)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("follows", [False, True])
def test_starts_without_synergy(binary, follows):
    z, x = torch.rand(40, 2), torch.rand(40, 3)
    decoder = FreeDecoder(
        2, 3, binary=binary, synergy_weight=2.0, relative_step=1.0, follows=follows
    )
    decoder.start_from(z, x)
    expected = MAPS["bernoulli" if binary else "gaussian"](PairwiseStatistics.of(z, x))
    for found, ci in zip(decoder.linear_map(z, x), expected, strict=True):
        torch.testing.assert_close(found, ci)
    plain = FreeDecoder(2, 3, binary=binary, synergy_weight=0.0, relative_step=1.0, follows=follows)
    plain.start_from(z, x)
    torch.testing.assert_close(decoder.loss(z, x), plain.loss(z, x))


def test_saved_and_loaded(rng, tmp_path):
    X = rng.random((30, 4))
    model = MinSyn(2, synergy_weight=3, max_iter=20, random_state=0).fit(X)
    model.save(tmp_path)
    loaded = MinSyn.load(tmp_path)
    assert loaded.synergy_weight == 3
    assert np.array_equal(loaded.reconstruct(X), model.reconstruct(X))
