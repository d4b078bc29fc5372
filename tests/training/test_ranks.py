"""Two processes on their shares of each batch come to the parameters of one."""

import csv
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

import shares
from programs import started
from ranked import comparable


def run_two(script, folder):
    """Start a script by torchrun in two processes; what each of them wrote."""
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    options = {"stderr": subprocess.STDOUT, "text": True}
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    with started(*torchrun, script, folder, env=env, **options) as process:
        output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    assert output == ""
    return [json.loads((folder / f"rank-{rank}.json").read_text()) for rank in range(2)]


def assert_gradients_are_those_of_one_process(ranks):
    whole = shares.gradients(shares.data())
    assert len(whole) == 6
    for share in shares.SHARES:
        for case, (gradient, running) in whole.items():
            for rank in ranks:
                torch.testing.assert_close(rank[share][case][0], gradient, rtol=1e-8, atol=1e-12)
            for name, value in running.items():
                mine, others = (rank[share][case][1][name] for rank in ranks)
                assert torch.equal(mine, others)
                torch.testing.assert_close(mine, value, rtol=1e-9, atol=1e-9)
    for rank in ranks:
        assert "one sample" in rank["one sample in all"]


def test_two_processes(tmp_path):
    """In one test, since starting them takes longer than all they do."""
    first, second = run_two(Path(__file__).parents[1] / "support" / "ranked.py", tmp_path)
    assert [(tmp_path / f"in-group-{rank}").read_text() for rank in range(2)] == ["False"] * 2
    assert_gradients_are_those_of_one_process(
        [torch.load(tmp_path / f"rank-{rank}.pt") for rank in range(2)]
    )
    assert first == second
    alone = comparable()
    assert len(alone) == 16
    for case, expected in alone.items():
        for name, value in expected.items():
            found = first["comparable"][case][name]
            exact = case in ("covariance", "rows")
            rtol, atol = (1e-9, 1e-9) if exact else (1e-4, 1e-6)
            np.testing.assert_allclose(found, value, rtol, atol, err_msg=f"{case} {name}")

    for name, value in alone["columns"].items():
        found = first["comparable"]["columns"][name]
        np.testing.assert_allclose(found, value, rtol=1e-9 if name == "variance" else 1e-15)

    found = first["together"]
    assert "row 40, column 3 is nan" in found["nan in a share"]
    assert np.all(np.isfinite(found["unseeded free"]["loss"]))
    assert np.all(np.isfinite(found["unseeded"]["loss"]))
    assert found["resumed"] == found["uninterrupted"]
    assert "module.encoder.weight was" in found["of another run"]
    assert "a single process" in found["lbfgs"] and "found 2 processes" in found["lbfgs"]
    assert "2 processes cannot share batches of 1 samples" in found["too few"]
    assert "the training loss became nan" in found["nan"]
    assert found["bias of one rank"] > 0
    with (tmp_path / "logs" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(1, 9))
    assert [float(row["loss"]) for row in rows] == pytest.approx(found["uninterrupted"]["loss"])
