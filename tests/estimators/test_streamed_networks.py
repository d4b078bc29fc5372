"""Nets and decoders that are trained, on data that are read by blocks and in `partial_fit`."""

import pickle
import tracemalloc

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from minsyn.data import as_samples, row_stream, stream
from minsyn.estimators import Adam, Free, MinSyn, Run
from minsyn.information import PairwiseStatistics
from minsyn.information.ci import bernoulli, gaussian
from minsyn.nn import ci_synergy_penalty

DECODERS = ["gaussian", "bernoulli"]
#: Encoder, and weight of the synergy: all that is not linear with a decoder in closed form.
KINDS = [("own", np.inf), ((5,), np.inf), ("linear", 0), ("linear", 2.0), ((5,), 2.0), ("own", 0)]


class Own(nn.Module):
    """Notes what it sees, and draws from torch's own generator."""

    def __init__(self, noisy=True):
        super().__init__()
        self.first, self.last = nn.Linear(10, 6), nn.Linear(6, 2)
        self.norm, self.dropout = nn.BatchNorm1d(6), nn.Dropout(0.1)
        if not noisy:  # a bias before batch norm has only rounding as its gradient
            self.norm = self.dropout = nn.Identity()
        self.seen = []

    def forward(self, x):
        self.seen.append(x.numpy().copy())
        return self.last(self.dropout(torch.tanh(self.norm(self.first(x)))))


@pytest.fixture(name="X")
def unit_interval_data(rng):
    """Two causes of ten features in [0, 1], float32; one is constant."""
    x = np.clip(
        0.7 * rng.random((203, 2)).repeat(5, axis=1) + 0.3 * rng.random((203, 10)) - 0.3, 0, None
    )
    x[:, 3] = 0.25
    return x.astype(np.float32)


def model_of(encoder, synergy_weight, decoder="gaussian", noisy=True, **others):
    latents = "auto"
    if encoder == "own":
        torch.manual_seed(0)
        encoder = Own(noisy)
        # A shift of linear latents changes nothing: Adam follows the rounding of its gradient.
        latents = "softplus" if decoder == "gaussian" else "auto"
    if synergy_weight < np.inf:
        decoder = Free(decoder, synergy_weight)
    settings = {"max_iter": 8, "tol": 0.0, "random_state": 0}
    settings |= {name: others.pop(name) for name in settings if name in others}
    settings["latents"] = latents
    return MinSyn(2, encoder=encoder, decoder=decoder, solver=Adam(**others), **settings)


def starts_at_an_optimum(model):
    """The decoder's bias does: its gradient is rounding, of which Adam makes a full step."""
    free = isinstance(model.decoder, Free)
    return free and model.decoder.decoder == "gaussian" and not model.solver.batch_size


def assert_same_losses(a, b):
    assert a.loss_curve_[0] == pytest.approx(b.loss_curve_[0], rel=1e-5)
    np.testing.assert_allclose(
        a.loss_curve_, b.loss_curve_, rtol=0.03 if starts_at_an_optimum(a) else 1e-4
    )


def assert_same_model(a, b, X):
    assert_same_losses(a, b)
    if not starts_at_an_optimum(a):
        np.testing.assert_allclose(a.components_, b.components_, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(a.intercept_, b.intercept_, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(a.transform(X), b.transform(X), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("batch_size", [None, 32])
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("decoder", DECODERS)
def test_batches_are_those_of_an_array(decoder, kind, batch_size, X):
    """Without dropout, of which the pass that the trained decoder starts from draws some."""
    model = model_of(*kind, decoder, False, batch_size=batch_size)
    streamed = clone(model).fit(as_samples(X))
    assert_same_model(streamed, model.fit(X), X)
    assert streamed.score(as_samples(X)) == pytest.approx(streamed.score(X))
    np.testing.assert_allclose(
        streamed.reconstruct(sparse.csr_array(X)), streamed.reconstruct(X), rtol=1e-6
    )


@pytest.mark.parametrize("encoder", ["own", (5,)])
@pytest.mark.parametrize("decoder", DECODERS)
def test_running_statistics(decoder, encoder, X):
    model = model_of(encoder, np.inf, decoder, False, batch_size=32, statistics="running")
    assert_same_model(clone(model).fit(as_samples(X)), model.fit(X), X)


@pytest.mark.parametrize(
    ("decoder", "kind"),
    [("gaussian", ((5,), np.inf)), ("bernoulli", ("own", 0)), ("gaussian", ("linear", 2.0))],
    ids=str,
)
def test_small_blocks_of_a_sparse_matrix(decoder, kind, X, monkeypatch):
    """In one batch nothing is shuffled; in several, blocks are mixed in another way."""
    whole = model_of(*kind, decoder, False).fit(X)
    monkeypatch.setattr(stream, "BLOCK_BYTES", 40 * 20)
    data = sparse.csr_array(X)
    assert_same_model(model_of(*kind, decoder, False).fit(data), whole, X)
    options = {"batch_size": 50, "max_iter": 20}
    mixed = model_of(*kind, decoder, False, **options).fit(data)
    expected = model_of(*kind, decoder, False, **options).fit(X).score(X)
    assert mixed.score(X) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("decoder", DECODERS)
def test_fitted_decoder(decoder, X):
    """In closed form from the latents; the trained one's loss is that of the last epoch, nearly."""
    closed = model_of((5,), np.inf, decoder, batch_size=32).fit(as_samples(X))
    linear_map = {"gaussian": gaussian, "bernoulli": bernoulli}[decoder].ci_linear_map
    weights, _ = linear_map(PairwiseStatistics.of(closed.transform(X), X.astype(float)))
    np.testing.assert_allclose(closed.components_, weights, atol=1e-5)
    np.testing.assert_allclose(closed.components_[:, 3], 0, atol=1e-12)
    if decoder == "gaussian":
        return
    free = model_of((5,), 0.5, decoder, batch_size=32, max_iter=80).fit(as_samples(X))
    arrays = (free.transform(X), X, free.components_, free.intercept_)
    penalty = ci_synergy_penalty(
        *(torch.from_numpy(a.astype(float)) for a in arrays), observations=decoder
    )
    loss = -free.score(X) + 0.5 * float(penalty)
    assert free.loss_curve_[-1] == pytest.approx(loss, rel=0.05)


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_module_of_ones_own_sees_data_as_given(decoder, X):
    """To the bit: it may take numbers for names."""
    X = X.astype(np.float64) + (1000 if decoder == "gaussian" else 0)
    seen = []
    own = Own()
    own.register_forward_pre_hook(lambda module, args: seen.append(args[0].numpy().copy()))
    solver = Adam(batch_size=50)
    MinSyn(2, encoder=own, decoder=Free(decoder), solver=solver, max_iter=2).fit(as_samples(X))
    known = {row.tobytes() for row in X.astype(np.float32)}
    assert sum(len(x) for x in seen) > 4 * 203
    assert {row.tobytes() for x in seen for row in x} <= known
    assert own.seen == []


def test_targets_far_from_the_origin_keep_their_digits(X):
    X = X.astype(np.float64)
    for kind in [((5,), np.inf), ((5,), 0)]:
        near = model_of(*kind, batch_size=50).fit(as_samples(X))
        far = model_of(*kind, batch_size=50).fit(as_samples(X + 1e6))
        np.testing.assert_allclose(far.components_, near.components_, atol=1e-3)
        np.testing.assert_allclose(far.transform(X + 1e6), near.transform(X), atol=1e-3)


@pytest.mark.parametrize("kind", [("own", np.inf), ("own", 0), ((5,), 2.0)], ids=str)
@pytest.mark.parametrize("decoder", DECODERS)
def test_goes_on_from_a_checkpoint(decoder, kind, X, tmp_path):
    np.save(tmp_path / "x.npy", X)
    options = {"decoder": decoder, "batch_size": 40}
    whole = model_of(*kind, **options).fit(tmp_path / "x.npy")
    options |= {"run": Run(checkpoint_dir=tmp_path / "run")}
    model_of(*kind, max_iter=5, **options).fit(tmp_path / "x.npy")
    resumed = model_of(*kind, **options).fit(tmp_path / "x.npy")
    assert resumed.loss_curve_ == whole.loss_curve_
    assert np.array_equal(resumed.components_, whole.components_)
    assert np.array_equal(resumed.transform(X), whole.transform(X))


def test_random_state(X):
    """Dropout, and a loader that shuffles, are seeded; torch's own generator is left alone."""
    loader = DataLoader(TensorDataset(torch.from_numpy(X)), batch_size=16, shuffle=True)
    before = torch.get_rng_state()
    for data in (as_samples(X), loader):
        a, b, c = (
            model_of("own", 0, batch_size=40, random_state=seed).fit(data) for seed in (0, 0, 1)
        )
        if data is not loader:
            assert a.loss_curve_ == b.loss_curve_
        assert a.loss_curve_ != c.loss_curve_
    torch.set_rng_state(before)


def test_memory_does_not_grow_with_the_samples(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "BLOCK_BYTES", 2**14)
    monkeypatch.setattr(row_stream, "PIECE_BYTES", 2**12)

    class Quiet(Own):
        def forward(self, x):
            x = super().forward(x)
            self.seen.clear()
            return x

    peaks = []
    for n in (1000, 8000):
        np.save(tmp_path / "x.npy", np.random.default_rng(0).random((n, 10), np.float32))
        solver = Adam(batch_size=200)
        model = MinSyn(2, encoder=Quiet(), decoder=Free(), solver=solver, max_iter=1)
        model.fit(tmp_path / "x.npy")
        tracemalloc.start()
        model.fit(tmp_path / "x.npy")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 100_000 < 7000 * 10 * 4


def test_what_cannot_be(X):
    data = sparse.csr_array(X)
    with pytest.raises(ValueError, match=r"\(2, 2\); found \(2, 3\)"):
        MinSyn(2, encoder=nn.Linear(10, 3)).fit(data)
    for method in ("fit", "partial_fit"):
        with pytest.raises(ValueError, match="statistics='running'"):
            model = MinSyn(2, decoder=Free(), solver=Adam(statistics="running"))
            getattr(model, method)(data)
    with pytest.raises(ValueError, match="n_init at 1"):
        MinSyn(2, encoder=Own(), n_init=2).fit(data)


@pytest.mark.parametrize("kind", [("own", np.inf), ((5,), np.inf), ("linear", 0), ((5,), 0)])
@pytest.mark.parametrize("decoder", DECODERS)
def test_partial_fit_takes_the_steps_of_fit(decoder, kind, X):
    X = X[:, [0, 1, 2, 4, 5, 6, 7, 8, 9, 9]]  # without a constant, for which `fit` draws no weights
    steps = model_of(*kind, decoder, False)
    for _ in range(8):
        steps.partial_fit(X)
    fit = model_of(*kind, decoder, False, max_iter=8).fit(X)
    assert_same_losses(steps, fit)
    parts = model_of(*kind, decoder, False).partial_fit(sparse.csr_array(X))
    np.testing.assert_allclose(parts.loss_curve_, steps.loss_curve_[:1])


@pytest.mark.parametrize(
    ("decoder", "kind"),
    [("gaussian", ((5,), np.inf)), ("bernoulli", ("own", 0)), ("gaussian", ("linear", 2.0))],
    ids=str,
)
def test_partial_fit_learns(decoder, kind, X, rng):
    options = {"decoder": decoder, "learning_rate": 0.03}
    model = model_of(*kind, noisy=False, **options)
    for _ in range(120):
        model.partial_fit(X[rng.choice(len(X), 100, replace=False)])
    fitted = model_of(*kind, noisy=False, max_iter=200, **options).fit(X).score(X)
    untrained = model_of(*kind, noisy=False, max_iter=1, **options).fit(X).score(X)
    assert model.score(X) > fitted - 0.25 * (fitted - untrained)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("decoder", DECODERS)
def test_partial_fit_goes_on(decoder, kind, X, tmp_path):
    """From a pickle with the state of Adam, dropout included, from a fit, or a saved model."""
    model = model_of(*kind, decoder).partial_fit(X).partial_fit(X)
    restored = pickle.loads(pickle.dumps(model))
    assert np.array_equal(restored.partial_fit(X).components_, model.partial_fit(X).components_)
    fitted = model_of(*kind, decoder, False, batch_size=50, max_iter=5).fit(X)
    before = fitted.reconstruct(X)
    fitted.save(tmp_path / "model")
    encoder = {"encoder": fitted.encoder} if isinstance(fitted.encoder, nn.Module) else {}
    loaded = MinSyn.load(tmp_path / "model", **encoder).set_params(solver__learning_rate=1e-9)
    assert np.array_equal(loaded.reconstruct(X), before)
    fitted.set_params(solver__learning_rate=1e-9).partial_fit(X)
    np.testing.assert_allclose(fitted.reconstruct(X), before, atol=0.01)
    loaded.partial_fit(X)
    np.testing.assert_allclose(loaded.components_, fitted.components_, rtol=1e-4, atol=1e-5)
    assert fitted.n_iter_ == 6


def test_partial_fit_and_features_that_vary_later(X, rng):
    late = X.copy()
    late[:, 0] = 0.5
    model = MinSyn(2, encoder=(5,), solver=Adam(learning_rate=0.03), random_state=0).partial_fit(
        late
    )
    assert np.all(model.encoder_[0].weight.detach().numpy()[:, 0] == 0)
    for _ in range(120):
        model.partial_fit(X[rng.choice(len(X), 100, replace=False)])
    assert np.abs(model.encoder_[0].weight.detach().numpy()[:, 0]).max() > 1e-2
    assert (X - model.reconstruct(X))[:, 0].var() < 0.5 * X[:, 0].var()


@pytest.mark.parametrize("other", ["linear", (4,), (5, 3), "own"])
def test_partial_fit_does_not_go_on_with_another_encoder(other, X):
    model = model_of((5,), np.inf).fit(X)
    model.set_params(encoder=Own() if other == "own" else other, latents=model.latents_.name)
    with pytest.raises(ValueError, match="another encoder"):
        model.partial_fit(X)
