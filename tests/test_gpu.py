"""Modules and fits on a GPU against the same on the CPU; skipped where torch finds no GPU."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from minsyn.estimators import (
    Adam,
    AutoEncoder,
    BetaTCVAE,
    BetaVAE,
    Free,
    InformationDropout,
    MinSyn,
    Run,
    VectorMinSyn,
    load_model,
)
from minsyn.information import PairwiseStatistics, discrete, gaussian
from minsyn.information import union_information as certified
from minsyn.nn import (
    DECODERS,
    BernoulliDecoder,
    FreeDecoder,
    GaussianDecoder,
    ci_synergy_penalty,
    gk_synergy_penalty,
    statistics_over_ranks,
)
from minsyn.nn.bernoulli import BernoulliObjective
from minsyn.nn.gaussian import GaussianObjective
from minsyn.nn.union_information import gk_synergy, union_information

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="torch finds no GPU with CUDA here"
)

SIZES = (2, 3)


@pytest.fixture
def data():
    """Latents in [0, 1], and observations whose columns are two variables of categories."""
    generator = torch.Generator().manual_seed(0)
    z = torch.rand(64, 3, generator=generator, dtype=torch.float64)
    x = torch.rand(64, 5, generator=generator, dtype=torch.float64) + z[:, [0, 1, 2, 0, 1]]
    return z, torch.cat([part / part.sum(dim=1, keepdim=True) for part in x.split(SIZES, 1)], 1)


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    return 0.9 * np.repeat(rng.random((60, 2)), 4, axis=1) + 0.1 * rng.random((60, 8))


def made(name):
    """A decoder of that name for the data above, in double precision."""
    return DECODERS[name](3, SIZES if "categorical" in name else 5).double()


def with_gradient(function, *tensors):
    """Value of a function of tensors, and its gradients."""
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    value = function(*leaves)
    value.sum().backward()
    return [value.detach(), *(leaf.grad for leaf in leaves)]


def assert_same_on_the_gpu(function, *tensors, **tolerance):
    """Values and gradients of a function on both devices; the GPU's stay there."""
    expected = with_gradient(function, *tensors)
    found = with_gradient(function, *(tensor.cuda() for tensor in tensors))
    assert all(tensor.is_cuda for tensor in found)
    torch.testing.assert_close([t.cpu() for t in found], expected, **tolerance)


@pytest.mark.parametrize("name", DECODERS)
def test_decoder(name, data):
    z, x = data
    assert_same_on_the_gpu(lambda z: made(name).to(z.device).loss(z, x.to(z)), z)
    assert_same_on_the_gpu(lambda z: made(name).to(z.device)(z, x.to(z)), z)
    decoder = made(name).cuda()
    decoder(z.cuda(), x.cuda())
    on_cpu = made(name)
    on_cpu.load_state_dict(decoder.state_dict())
    torch.testing.assert_close(decoder.eval()(z.cuda()).cpu(), on_cpu.eval()(z))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", DECODERS)
def test_decoder_in_half_precision(name, dtype, data):
    z, x = data
    single, half = made(name).float().cuda(), made(name).to("cuda", dtype)
    expected = single.loss(z.cuda().float(), x.cuda().float())
    assert half(z.to("cuda", dtype), x.to("cuda", dtype)).dtype is dtype
    loss = half.loss(z.to("cuda", dtype), x.to("cuda", dtype))
    torch.testing.assert_close(loss.float(), expected, rtol=0.05, atol=0)
    with torch.autocast("cuda", dtype):
        loss = single.loss(z.cuda().float(), x.cuda().float())
    torch.testing.assert_close(loss.float(), expected, rtol=0.05, atol=0)


@pytest.mark.parametrize("objective", [BernoulliObjective, GaussianObjective])
def test_gradients_written_by_hand(objective, data):
    z, x = data
    assert_same_on_the_gpu(lambda z: objective(x.to(z))(z), z)


@pytest.mark.parametrize("decoder", [BernoulliDecoder, GaussianDecoder])
def test_trained_decoder_with_a_penalty(decoder, data):
    z, x = data
    free = FreeDecoder(decoder(3, 5), synergy_weight=1.0).double()
    state = free.state_dict()

    def loss(z):
        module = FreeDecoder(decoder(3, 5), synergy_weight=1.0).double()
        module.load_state_dict(state)
        return module.to(z.device).loss(z, x.to(z))

    assert_same_on_the_gpu(loss, z)


@pytest.mark.parametrize(
    "penalty",
    [
        ci_synergy_penalty,
        partial(ci_synergy_penalty, noise="fitted"),
        partial(ci_synergy_penalty, observations="bernoulli"),
        partial(ci_synergy_penalty, observations="bernoulli", latents="gaussian"),
        gk_synergy_penalty,
        partial(gk_synergy_penalty, temperature=0.01, noise="shared"),
    ],
)
def test_penalties(penalty, data):
    z, x = data
    weights = torch.linspace(-1, 1, 15, dtype=torch.float64).reshape(3, 5)
    bias = torch.linspace(-1, 1, 5, dtype=torch.float64)
    assert_same_on_the_gpu(lambda z, w, b: penalty(z, x.to(z), w, b), z, weights, bias)


@pytest.mark.parametrize("function", [union_information, gk_synergy])
def test_union_information(function):
    pmfs = torch.from_numpy(np.random.default_rng(0).dirichlet(np.full(12, 2.0), size=3))
    assert_same_on_the_gpu(partial(function, batch_dims=1), pmfs.reshape(3, 2, 3, 2))


def test_formulas_of_gaussian_variables(data):
    z, x = data
    statistics = PairwiseStatistics.of(z, x)
    on_gpu = PairwiseStatistics.of(z.cuda(), x.cuda())
    torch.testing.assert_close(on_gpu.rho.cpu(), statistics.rho)
    for measure in (gaussian.ci_synergy, gaussian.gk_synergy, gaussian.mutual_information):
        expected = measure(statistics.sigma, statistics.rho)
        found = measure(on_gpu.sigma, on_gpu.rho)
        np.testing.assert_allclose(torch.as_tensor(found).cpu(), expected, rtol=1e-9, atol=1e-12)


def test_pmfs_on_the_gpu_are_measured_on_the_cpu():
    pmf = torch.full((2, 2, 2), 0.125, dtype=torch.float64)
    pmf[0, 0, 0], pmf[1, 1, 1] = 0.2, 0.05
    assert discrete.mutual_information(pmf.cuda()) == discrete.mutual_information(pmf)
    assert certified(pmf.cuda()).value == certified(pmf).value


FITS = {
    "gaussian": MinSyn(2, solver=Adam(), max_iter=50),
    "bernoulli": MinSyn(2, decoder="bernoulli", solver=Adam(), max_iter=50),
    "linear": MinSyn(2, latents="linear", solver=Adam(), max_iter=50),
    "single parent": MinSyn(2, decoder="single-parent", solver=Adam(), max_iter=50),
    "net": MinSyn(2, encoder=(8,), solver=Adam(), max_iter=50),
    "batches": MinSyn(2, solver=Adam(batch_size=16, statistics="running"), max_iter=10),
    "free": MinSyn(2, decoder=Free(synergy_weight=1), solver=Adam(), max_iter=20),
    "starts": MinSyn(2, solver=Adam(), n_init=3, max_iter=20),
    "standardized": MinSyn(2, standardize=True, solver=Adam(), max_iter=50),
    "autoencoder": AutoEncoder(2, max_iter=50),
    "denoising": AutoEncoder(2, noise_std=0.1, batch_size=16, max_iter=10),
    "beta-vae": BetaVAE(2, batch_size=16, max_iter=10),
    "beta-tcvae": BetaTCVAE(2, max_iter=10),
    "information dropout": InformationDropout(2, max_iter=10),
    "vectors": VectorMinSyn(4, n_groups=2, encoder=(8,), decoder=(8,), max_iter=30),
}


def on_device(name, **options):
    """A model of the list with a run of those options."""
    model, run = FITS[name], Run(**options)
    if hasattr(model, "run"):
        return type(model)(**model.get_params(deep=False) | {"run": run, "random_state": 0})
    parameters = model.get_params(deep=False)
    solver = parameters["solver"]
    solver = Adam(run=run) if not isinstance(solver, Adam) else solver.set_params(run=run)
    return type(model)(**parameters | {"solver": solver, "random_state": 0})


@pytest.mark.parametrize("name", FITS)
@pytest.mark.filterwarnings("ignore")
def test_fit(name, samples, tmp_path):
    """The same start on both devices: losses agree, and a model comes back to the CPU."""
    expected, found = (on_device(name, device=device).fit(samples) for device in ("cpu", "cuda"))
    assert found.loss_curve_[0] == pytest.approx(expected.loss_curve_[0], rel=1e-4)
    assert found.loss_curve_[-1] == pytest.approx(expected.loss_curve_[-1], rel=0.05)
    Z = found.transform(samples)
    assert isinstance(Z, np.ndarray) and np.isfinite(Z).all()
    found.save(tmp_path / "model")
    np.testing.assert_array_equal(load_model(tmp_path / "model").transform(samples), Z)


@pytest.mark.parametrize("precision", ["64-true", "bf16-mixed", "16-mixed", "bf16-true"])
@pytest.mark.parametrize("name", ["gaussian", "bernoulli", "autoencoder", "vectors"])
@pytest.mark.filterwarnings("ignore")
def test_precision(name, precision, samples):
    single = on_device(name, device="cuda").fit(samples)
    other = on_device(name, device="cuda", precision=precision).fit(samples)
    assert other.loss_curve_[-1] == pytest.approx(single.loss_curve_[-1], rel=0.3)
    assert np.isfinite(other.inverse_transform(other.transform(samples))).all()


@pytest.mark.parametrize("name", ["batches", "denoising", "vectors"])
@pytest.mark.filterwarnings("ignore")
def test_resumed_fit_is_the_uninterrupted_one(name, samples, tmp_path):
    whole = on_device(name, device="cuda").fit(samples)
    options = {"device": "cuda", "checkpoint_dir": tmp_path / "run", "checkpoint_every": 0}
    model = on_device(name, **options)
    if name == "vectors":
        model.fit(samples)  # the second fit reads the finished one
    else:
        model.set_params(max_iter=4).fit(samples)
    resumed = on_device(name, **options).fit(samples)
    np.testing.assert_allclose(resumed.loss_curve_, whole.loss_curve_, rtol=1e-6)
    np.testing.assert_allclose(
        resumed.transform(samples), whole.transform(samples), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("name", ["gaussian", "batches", "net", "free"])
@pytest.mark.filterwarnings("ignore")
def test_streamed_fit(name, samples):
    model = on_device(name, device="cuda").fit(sparse.csr_array(samples))
    expected = on_device(name, device="cpu").fit(sparse.csr_array(samples))
    assert model.loss_curve_[-1] == pytest.approx(expected.loss_curve_[-1], rel=0.05)


def test_data_on_the_gpu(samples):
    """Estimators and measures of samples take tensors of any device, as they take arrays."""
    tensor = torch.from_numpy(samples).cuda()
    model = MinSyn(2, random_state=0).fit(tensor)
    np.testing.assert_allclose(model.transform(tensor), model.transform(samples))


def test_module_of_ones_own(data):
    """An encoder trained with a decoder of ours, all on the GPU."""
    x = data[1].float().cuda()
    torch.manual_seed(0)
    encoder, decoder = nn.Linear(5, 3).cuda(), GaussianDecoder(3, 5).cuda()
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.05)
    losses = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = decoder.loss(encoder(x), x)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    assert decoder.eval()(encoder(x)).is_cuda


def test_ranks_over_nccl(data, tmp_path):
    """One rank is all that one GPU can have; its statistics go through NCCL and come back."""
    from minsyn.nn.ranks import _sum_over_ranks

    torch.distributed.init_process_group(
        "nccl", init_method=f"file://{tmp_path / 'store'}", world_size=1, rank=0
    )
    try:
        z, x = (tensor.cuda() for tensor in data)
        summed = _sum_over_ranks([z, x])
        torch.testing.assert_close(summed, [z, x])
        shared = statistics_over_ranks(z, x)
        torch.testing.assert_close(shared.rho, PairwiseStatistics.of(z, x).rho)
    finally:
        torch.distributed.destroy_process_group()


def test_torchrun_with_cuda(tmp_path):
    """`torchrun` of one process on the GPU gives a model."""
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np\n"
        "from minsyn.estimators import Adam, MinSyn, Run\n"
        "X = np.random.default_rng(0).random((40, 6))\n"
        "model = MinSyn(2, solver=Adam(run=Run(device='cuda')), max_iter=5).fit(X)\n"
        "print(len(model.loss_curve_))\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=1"]
    done = subprocess.run([*command, str(script)], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "5"


def test_command_line(samples, tmp_path):
    table = tmp_path / "table.csv"
    np.savetxt(table, samples, delimiter=",", header=",".join("abcdefgh"), comments="")
    options = ["fit", str(table), "--solver", "adam", "--device", "cuda", "--n-components", "2"]
    command = [str(Path(sys.executable).with_name("minsyn"))]
    if not Path(command[0]).exists():
        command = [sys.executable, "-c", "from minsyn.cli import app; app()"]
    done = subprocess.run(
        [*command, *options, "--output", str(tmp_path / "model")],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert load_model(tmp_path / "model").components_.shape == (2, 8)
