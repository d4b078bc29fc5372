"""Small work runs on one thread, and leaves the number of threads as it was."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits
from torch import nn

from minsyn import AutoEncoder, InfoMax, MinSyn, VectorMinSyn, _threads
from minsyn._threads import one_thread, one_thread_if_small
from minsyn.data import TensorSamples
from minsyn.estimators import BetaVAE, LinearCorex, small_fits
from minsyn.estimators.small_fits import _n_multiplications
from minsyn.training import train


@pytest.fixture(autouse=True)
def allowed():
    """Two threads, but for libraries that another Python thread controls."""
    before = torch.get_num_threads()
    with threadpool_limits(2):
        torch.set_num_threads(2)
        as_set = n_threads()
        yield as_set
        now = n_threads()
        assert {name: now[name] for name in as_set} == as_set
    torch.set_num_threads(before)


def n_threads():
    """Threads of torch, and of each library of linear algebra."""
    pools = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    return {"torch": torch.get_num_threads()} | pools


def test_one_thread():
    with one_thread():
        assert set(n_threads().values()) == {1}
        with one_thread():
            assert set(n_threads().values()) == {1}
        assert set(n_threads().values()) == {1}


def test_as_before_after_an_error():
    with pytest.raises(KeyError), one_thread():
        raise KeyError


def test_work_side_by_side():
    """Whichever ends first, the other keeps to one thread, and all are there afterwards."""
    together, one_left = Barrier(2), Barrier(2)

    def work(ends_first):
        with one_thread():
            together.wait(10)
            if not ends_first:
                one_left.wait(10)
                assert torch.get_num_threads() == 1
        if ends_first:
            one_left.wait(10)
        assert torch.get_num_threads() == 2

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, [True, False])) == [None, None]


@pytest.mark.parametrize(
    ("n_multiplications", "small"), [(2e6, True), (2.1e6, False), (np.inf, False)]
)
def test_small_work(n_multiplications, small, allowed):
    with one_thread_if_small(n_multiplications):
        assert n_threads() == (dict.fromkeys(allowed, 1) if small else allowed)


class Recorder(nn.Linear):
    """Encoder that notes how many threads it may use."""

    def forward(self, x):
        self.seen = torch.get_num_threads()
        return super().forward(x)


@pytest.mark.parametrize(("small", "expected"), [(20 * 30 * 31, 1), (20 * 30, 2)])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_fits_of_small_data(method, small, expected, monkeypatch):
    """Work is the number of values times the weights of each feature."""
    monkeypatch.setattr(_threads, "_SMALL", small)
    X = np.random.default_rng(0).normal(size=(20, 30))
    model = MinSyn(2, encoder=Recorder(30, 2), decoder="bernoulli", max_iter=1)
    getattr(model, method)(1 / (1 + np.exp(-X)))
    assert model.encoder_.seen == expected


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "model",
    [
        MinSyn(1),
        VectorMinSyn(1),
        AutoEncoder(1, max_iter=1),
        BetaVAE(1, max_iter=1),
        InfoMax(1),
        LinearCorex(1, max_iter=1),
    ],
    ids=lambda model: type(model).__name__,
)
def test_every_estimator_looks_at_the_size_of_its_work(model, rng, monkeypatch):
    sizes = []

    def noted(n_multiplications):
        sizes.append(n_multiplications)
        return one_thread()

    monkeypatch.setattr(small_fits, "one_thread_if_small", noted)
    model.fit(rng.normal(size=(20, 1)) + 0.5 * rng.normal(size=(20, 3)))
    assert sizes == [20 * 3]


@pytest.mark.parametrize(("batch_size", "expected"), [(None, 2), (1000, 2), (10, 1)])
def test_small_batches_of_large_data(batch_size, expected, monkeypatch):
    monkeypatch.setattr(_threads, "_SMALL", 10 * 4)
    line, seen = nn.Linear(3, 1), []  # four weights

    def loss(x):
        seen.append(torch.get_num_threads())
        return line(x).square().mean()

    train(
        line,
        loss,
        TensorSamples(torch.ones(50, 3)),
        learning_rate=0.1,
        batch_size=batch_size,
        max_epochs=1,
        tol=0.0,
        patience=1,
        generator=torch.Generator().manual_seed(0),
    )
    assert set(seen) == {expected}


@pytest.mark.parametrize(
    ("layers", "width"),
    [
        (["auto", None, "gaussian"], 10),
        ([15, "linear", None], 15),
        ([[2, 3, 4], None, None], 4),
        ([15, (64, 32), (70,)], 70),
        ([3, nn.Linear(20, 3, bias=False), None], 3),
        ([3, nn.LazyLinear(3), None], np.inf),
    ],
)
def test_wide_layers(layers, width):
    assert _n_multiplications(torch.zeros(50, 20), layers) == 50 * 20 * width


def test_data_without_a_shape():
    assert _n_multiplications([[1.0, 2.0]], [2]) == 0
    assert _n_multiplications(iter([[1.0, 2.0]]), [2]) == np.inf
    assert _n_multiplications(np.zeros(3), [2]) == np.inf


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_layers_that_find_their_size_in_the_data(rng):
    model = MinSyn(2, encoder=nn.LazyLinear(2), max_iter=1).fit(rng.normal(size=(20, 3)))
    assert model.components_.shape == (2, 3)


def test_a_call_without_data_names_the_estimator():
    with pytest.raises(TypeError, match=r"MinSyn\.fit\(\) missing .* 'X'"):
        MinSyn().fit()
