"""Two processes on their shares of a batch against one process on the whole of it."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

WORKER = Path(__file__).parents[1] / "support" / "rank_worker.py"


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """What each of two ranks found; they are run once for all tests."""
    folder = tmp_path_factory.mktemp("ranks")
    processes = [
        subprocess.Popen(
            [sys.executable, WORKER, str(rank), folder], stderr=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    try:
        for process in processes:
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
    finally:
        for process in processes:
            process.kill()
    return [torch.load(folder / f"rank{rank}.pt") for rank in range(2)]


@pytest.fixture(scope="module")
def whole():
    worker = runpy.run_path(str(WORKER))
    return worker["gradients"](worker["data"]())


@pytest.mark.parametrize("shares", ["equal", "unequal", "one sample", "empty"])
def test_gradients_are_those_of_one_process(ranks, whole, shares):
    assert len(whole) == 6
    for case, (gradient, _) in whole.items():
        for rank in ranks:
            torch.testing.assert_close(rank[shares][case][0], gradient, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("shares", ["equal", "unequal", "one sample", "empty"])
def test_running_statistics_agree_on_all_ranks(ranks, whole, shares):
    for case, (_, running) in whole.items():
        for name, value in running.items():
            mine, others = (rank[shares][case][1][name] for rank in ranks)
            assert torch.equal(mine, others)
            torch.testing.assert_close(mine, value, rtol=1e-9, atol=1e-9)


def test_one_sample_among_all_ranks_is_an_error_on_each(ranks):
    for rank in ranks:
        assert "one sample" in rank["one sample in all"]
