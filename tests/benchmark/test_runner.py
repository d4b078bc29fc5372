import os
import signal

import joblib
import numpy as np
import pytest
from sklearn.decomposition import PCA

import minsyn
from minsyn.benchmark import (
    CellFailure,
    CellResult,
    Method,
    Store,
    WorkerDiedError,
    find_methods,
    run,
)


def scores(store):
    names = ("random_state", "train_loss", "test_loss", "acc", "n_iter")
    return {
        (cell.method, cell.draw): tuple(getattr(cell, name) for name in names)
        for cell in store.results()
    }


def _broken(n_components, random_state):
    raise RuntimeError("no luck")


def test_any_number_of_jobs_gives_the_same_numbers(tmp_path, tiny):
    # Lambdas travel to other processes by value; functions of a test module cannot be found there.
    brief = Method(
        "brief", "Brief", lambda n, seed: minsyn.MinSyn(n, max_iter=20, random_state=seed)
    )
    methods = [*find_methods(["pca", "ica"]), brief]
    one, two = (Store(tmp_path / name, tiny(methods)) for name in "ab")
    list(run(tiny(methods), one, n_jobs=1))
    list(run(tiny(methods), two, n_jobs=2))
    assert scores(one) == scores(two) and len(scores(one)) == 6
    for a, b in zip(one.results(), two.results(), strict=True):
        np.testing.assert_array_equal(a.maps, b.maps)
        np.testing.assert_array_equal(a.test_examples, b.test_examples)


def test_other_methods_and_draws_change_nothing(tmp_path, tiny):
    few, many = Store(tmp_path / "few", tiny()), Store(tmp_path / "many", tiny())
    list(run(tiny(["ica"], draws=1), few))
    list(run(tiny(["pca", "ica"], draws=3), many))
    assert scores(few).items() <= scores(many).items()


def test_only_what_is_missing_is_run(tmp_path, tiny):
    store = Store(tmp_path, tiny())
    first = next(iter(run(tiny(), store)))  # stopped after one cell
    assert len(store.results()) == 1
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").iterdir()}
    started = []
    rest = list(run(tiny(), store, on_start=lambda method, draw: started.append(method.key)))
    assert len(rest) == len(started) == 3
    assert (first.method, first.draw) not in {(cell.method, cell.draw) for cell in rest}
    assert all(path.stat().st_mtime_ns == before[path] for path in before)
    assert [cell.draw for cell in run(tiny(draws=3), store)] == [2, 2]  # extended


def test_two_runs_in_one_folder(tmp_path, tiny):
    store = Store(tmp_path, tiny(["pca"]))
    first = run(tiny(["pca"]), store)
    next(first)
    with pytest.raises(ValueError, match="is in use by another run: choose another output"):
        next(run(tiny(["pca"]), store))
    first.close()
    list(run(tiny(["pca"]), store))
    assert not (tmp_path / ".lock").exists()


def test_damaged_cell_is_run_again(tmp_path, tiny):
    store = Store(tmp_path, tiny())
    list(run(tiny(), store))
    expected = scores(store)
    (tmp_path / "cells" / "ica-1.json").write_text('{"half": ')
    assert [(cell.method, cell.draw) for cell in run(tiny(), store)] == [("ica", 1)]
    assert scores(store) == expected


def test_one_method_s_failure_is_not_the_others(tmp_path, tiny):
    experiment = tiny([Method("broken", "Broken", _broken), *find_methods(["pca"])])
    store = Store(tmp_path, experiment)
    outcomes = list(run(experiment, store))
    failures = [outcome for outcome in outcomes if isinstance(outcome, CellFailure)]
    assert [(f.label, f.draw, f.error) for f in failures] == [
        ("Broken", 0, "RuntimeError: no luck"),
        ("Broken", 1, "RuntimeError: no luck"),
    ]
    assert "in _broken" in (tmp_path / "failures" / "broken-0.txt").read_text()
    assert [cell.method for cell in store.results()] == ["pca", "pca"]


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals of POSIX")
def test_ctrl_c_is_left_to_the_first_process(tmp_path, tiny):
    """From the start of its workers on: they would tell of it in the middle of their imports."""

    def tell(n_components, random_state):
        raise RuntimeError(signal.pthread_sigmask(signal.SIG_BLOCK, []))

    masked = Method("masked", "Masked", tell)
    outcomes = run(tiny([masked]), Store(tmp_path, tiny([masked])), n_jobs=2)
    assert ["SIGINT" in outcome.error for outcome in outcomes] == [True, True]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_worker_that_dies_is_reported(tmp_path, tiny):
    experiment = tiny(
        [*find_methods(["pca"]), Method("deadly", "Deadly", lambda n, seed: os._exit(1))], draws=1
    )
    with pytest.raises(WorkerDiedError, match="Finished fits are kept"):
        list(run(experiment, Store(tmp_path, experiment), n_jobs=2))


def test_backend_is_the_user_s_choice(tmp_path, tiny):
    """Dask and Ray come in as joblib backends; threads stand in for them."""
    with joblib.parallel_config("threading", n_jobs=2):
        outcomes = list(run(tiny(["pca"]), Store(tmp_path, tiny())))
    assert all(isinstance(outcome, CellResult) for outcome in outcomes) and len(outcomes) == 2


def test_own_method(tmp_path, tiny, own_method):
    store = Store(tmp_path, tiny([own_method]))
    (cell,) = run(tiny([own_method], draws=1), store)
    words = tiny().data(0)
    pca = PCA(2, svd_solver="full").fit(words.train)
    error = words.train - pca.inverse_transform(pca.transform(words.train))
    assert cell.train_loss == pytest.approx(np.sum(error**2) / len(error), rel=1e-4)


def test_missing_package_is_told_before_anything_runs(tmp_path, tiny):
    method = Method("x", "X", _broken, needs=("no_such_module", "infomax"))
    experiment = tiny([*find_methods(["pca"]), method])
    store = Store(tmp_path, experiment)
    with pytest.raises(ImportError, match="X needs no_such_module"):
        list(run(experiment, store))
    assert store.results() == []


def test_no_jobs(tmp_path, tiny):
    with pytest.raises(ValueError, match="n_jobs: 0"):
        list(run(tiny(), Store(tmp_path, tiny()), n_jobs=0))
