import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from minsyn.estimators import Adam, AutoEncoder, Free, MinSyn, ModelFormatError, Run
from minsyn.information import PairwiseStatistics
from minsyn.information.ci import gaussian


class Shifted(nn.Module):
    """With everything that must survive: a buffer, batch norm, dropout."""

    def __init__(self, n_features=6, n_components=2):
        super().__init__()
        self.register_buffer("shift", torch.ones(n_features))
        self.first = nn.Linear(n_features, 8)
        self.norm = nn.BatchNorm1d(8)
        self.last = nn.Linear(8, n_components)
        self.seen = []

    def forward(self, x):
        assert x.dtype == torch.float32
        self.seen.append(x.detach())
        hidden = torch.dropout(
            torch.tanh(self.norm(self.first(x - self.shift))), 0.1, self.training
        )
        return self.last(hidden)


@pytest.fixture
def own():
    torch.manual_seed(0)
    return Shifted()


@pytest.fixture(name="X")
def make_x(rng):
    causes = rng.random((60, 2))
    x = np.column_stack([np.repeat(causes, 2, axis=1), causes.sum(axis=1) / 2, np.full(60, 0.3)])
    return 0.9 * x + 0.1 * rng.random(x.shape) * [1, 1, 1, 1, 1, 0]


SETTINGS = {"max_iter": 40, "solver": Adam(n_iter_no_change=20), "random_state": 0}


@pytest.mark.parametrize("decoder", ["gaussian", "bernoulli"])
@pytest.mark.parametrize("encoder", [(5, 4), [3]])
def test_mlp_is_saved_loaded_and_cloned(encoder, decoder, X, tmp_path):
    model = MinSyn(2, encoder=encoder, decoder=decoder, **SETTINGS).fit(X)
    assert not model.encoder_.training
    assert not hasattr(model, "encoder_weights_")
    assert -model.score(X) < model.loss_curve_[0]
    assert -model.score(X) == pytest.approx(min(model.loss_curve_), rel=1e-4)
    model.save(tmp_path)
    loaded = MinSyn.load(tmp_path)
    assert np.array_equal(loaded.transform(X), model.transform(X))
    assert loaded.encoder == list(encoder)
    again = clone(model).fit(X)
    assert np.array_equal(again.components_, model.components_)
    again.set_params(encoder="linear").fit(X)
    assert again.encoder_weights_.shape == (2, 6)


def test_mlp_far_from_the_origin(X):
    near = MinSyn(2, encoder=(4,), **SETTINGS).fit(X)
    far = MinSyn(2, encoder=(4,), **SETTINGS).fit(100 * X + 1e4)
    np.testing.assert_allclose(far.transform(100 * X + 1e4), near.transform(X), atol=1e-3)


@pytest.mark.parametrize("decoder", ["gaussian", "bernoulli"])
def test_own_module(decoder, own, X, tmp_path):
    before = {name: value.clone() for name, value in own.state_dict().items()}
    model = MinSyn(2, encoder=own, decoder=decoder, **SETTINGS).fit(X)
    assert own.seen == []
    assert all(torch.equal(before[name], value) for name, value in own.state_dict().items())
    assert own.training
    assert not model.encoder_.training
    assert torch.equal(model.encoder_.seen[-1], torch.from_numpy(X).float())
    assert any(not torch.equal(before[n], v) for n, v in model.encoder_.state_dict().items())
    again = clone(model).fit(X)  # dropout included
    assert np.array_equal(again.transform(X), model.transform(X))
    model.save(tmp_path)
    with pytest.raises(ValueError, match="encoder=, a module of the same architecture"):
        MinSyn.load(tmp_path)
    with pytest.raises(ModelFormatError, match="do not fit encoder"):
        MinSyn.load(tmp_path, encoder=Shifted(n_components=3))
    loaded = MinSyn.load(tmp_path, encoder=own)
    assert loaded.encoder is own
    assert np.array_equal(loaded.transform(X), model.transform(X))
    assert all(torch.equal(before[name], value) for name, value in own.state_dict().items())


def test_decoder_is_set_from_the_modules_latents(own, X):
    model = MinSyn(2, encoder=own, **SETTINGS).fit(X)
    weights, intercept = gaussian.ci_linear_map(PairwiseStatistics.of(model.transform(X), X))
    np.testing.assert_allclose(model.components_, weights, atol=1e-9)
    np.testing.assert_allclose(model.intercept_, intercept, atol=1e-9)


def test_none_is_linear(X):
    plain, none = (MinSyn(2, encoder=e, random_state=0).fit(X) for e in ("linear", None))
    assert np.array_equal(plain.components_, none.components_)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"encoder": nn.Linear(6, 3)}, r"\(2, 2\); found \(2, 3\)"),
        ({"encoder": nn.Sequential(nn.Linear(6, 2), nn.Flatten(0))}, r"found \(4,\)"),
        ({"encoder": nn.LSTM(6, 2)}, "found tuple"),
        ({"encoder": nn.Identity()}, "cannot be trained"),
        ({"encoder": nn.Linear(6, 2), "n_init": 2}, "n_init at 1"),
        (
            {"encoder": nn.Linear(6, 2), "solver": "lbfgs"},
            "found encoder=Linear. Use solver",
        ),
        ({"encoder": (4,), "solver": "lbfgs"}, r"found encoder=\(4,\)"),
        ({"encoder": ()}, "hidden layers"),
        ({"encoder": (4, 0)}, "hidden layers"),
        ({"encoder": (True,)}, "hidden layers"),
        ({"encoder": 4}, "encoder"),
        ({"decoder": Free(synergy_weight=-1)}, "synergy_weight"),
        ({"decoder": Free(synergy_weight=np.inf)}, "use decoder='gaussian' itself"),
        ({"decoder": Free(), "solver": "lbfgs"}, "found a trained decoder"),
        ({"decoder": Free(), "solver": Adam(statistics="running")}, "running"),
        ({"decoder": Free(synergy_weight="much")}, "synergy_weight='much' must be"),
        ({"decoder": Free("poisson")}, "'poisson' is unknown"),
        ({"decoder": "single-parent", "solver": "lbfgs"}, "found SingleParentDecoder"),
    ],
)
def test_what_cannot_be(settings, message, X):
    with pytest.raises(ValueError, match=message):
        MinSyn(**({"n_components": 2} | settings)).fit(X)


def test_no_encoder_where_none_is_needed(X, tmp_path):
    AutoEncoder(2, max_iter=20, random_state=0).fit(X).save(tmp_path)
    with pytest.raises(ValueError, match="without encoder="):
        AutoEncoder.load(tmp_path, encoder=nn.Linear(6, 2))


def test_checkpoints_of_an_mlp_with_a_free_decoder(X, tmp_path):
    def fit(max_iter, run=None):
        solver = Adam(n_iter_no_change=100, run=run)
        decoder = Free(synergy_weight=1.0)
        return MinSyn(
            2, encoder=(4,), decoder=decoder, solver=solver, max_iter=max_iter, random_state=0
        ).fit(X)

    whole = fit(30)
    fit(10, Run(checkpoint_dir=tmp_path))
    resumed = fit(30, Run(checkpoint_dir=tmp_path))
    assert np.array_equal(resumed.components_, whole.components_)
