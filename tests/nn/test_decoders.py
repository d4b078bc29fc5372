import numpy as np
import pytest
import torch

from minsyn.information import PairwiseStatistics, bernoulli, gaussian
from minsyn.nn import BernoulliDecoder, GaussianDecoder, RunningStatistics

DECODERS = [(GaussianDecoder, gaussian), (BernoulliDecoder, bernoulli)]


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(64, 3, generator=generator), torch.rand(64, 5, generator=generator)


@pytest.mark.parametrize(("module", "formulas"), DECODERS)
def test_torch_and_numpy_run_the_same_formula(module, formulas, batch):
    z, x = batch
    weights, intercept = module(3, 5).linear_map(PairwiseStatistics.of(z, x))
    expected = formulas.ci_linear_map(PairwiseStatistics.of(z.numpy(), x.numpy()))
    np.testing.assert_allclose(weights, expected[0], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(intercept, expected[1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("module", "formulas"), DECODERS)
def test_gradient_of_the_loss_through_the_statistics(module, formulas, batch):
    z, x = (tensor[:12].double() for tensor in batch)
    decoder = module(3, 5).double()
    assert torch.autograd.gradcheck(lambda z: decoder.loss(z, x), (z.requires_grad_(),))


@pytest.mark.parametrize(("module", "formulas"), DECODERS)
def test_loss_is_that_of_the_reconstruction(module, formulas, batch):
    z, x = batch
    decoder = module(3, 5)
    x_hat = decoder(z, x)
    if module is GaussianDecoder:
        expected = (x_hat - x).square().sum(dim=1).mean()
    else:
        expected = -(x * x_hat.log() + (1 - x) * (1 - x_hat).log()).sum(dim=1).mean()
    assert torch.allclose(decoder.loss(z, x), expected, rtol=1e-4)
    decoder.eval()  # one batch seen: its statistics are the running ones
    assert torch.allclose(decoder.loss(z, x), expected, rtol=1e-4)


@pytest.mark.parametrize(("module", "formulas"), DECODERS)
def test_dead_latents_and_constant_features_stay_finite(module, formulas, batch):
    z, x = (tensor.clone() for tensor in batch)
    z[:, 0], x[:, 0], x[:, 1], x[:, 2] = 1.0, 0.0, 1.0, z[:, 1]
    z.requires_grad_()
    decoder = module(3, 5)
    loss = decoder.loss(z, x)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(z.grad).all()


@pytest.mark.parametrize(("module", "formulas"), DECODERS)
def test_state_dict_carries_the_statistics(module, formulas, batch):
    z, x = batch
    decoder, other = module(3, 5), module(3, 5)
    decoder(z, x)
    other.load_state_dict(decoder.state_dict())
    assert torch.equal(other.eval()(z), decoder.eval()(z))


def test_training_needs_x_and_evaluation_needs_training(batch):
    z, _ = batch
    with pytest.raises(ValueError, match=r"decoder\(z, x\)"):
        GaussianDecoder(3, 5)(z)
    with pytest.raises(RuntimeError, match="seen no data"):
        GaussianDecoder(3, 5).eval()(z)


def test_running_average_of_few_batches_is_their_mean(batch):
    z, x = batch
    running = RunningStatistics(3, 5, momentum=0.1)
    for rows in torch.arange(64).split(16):
        running.update(PairwiseStatistics.of(z[rows], x[rows]))
    whole = PairwiseStatistics.of(z, x)
    torch.testing.assert_close(running.statistics().rho, whole.rho, rtol=1e-4, atol=1e-5)


def test_running_average_forgets(batch):
    z, x = batch
    running = RunningStatistics(3, 5, momentum=0.5)
    for _ in range(3):
        running.update(PairwiseStatistics.of(z, x))
    for _ in range(40):
        running.update(PairwiseStatistics.of(z, 1 - x))
    torch.testing.assert_close(
        running.statistics().rho, PairwiseStatistics.of(z, 1 - x).rho, rtol=1e-4, atol=1e-5
    )


def test_statistics_that_were_given_out_do_not_move(batch):
    z, x = batch
    running = RunningStatistics(3, 5, momentum=0.5)
    running.update(PairwiseStatistics.of(z, x))
    before = running.statistics()
    rho = before.rho.clone()
    running.update(PairwiseStatistics.of(z, 1 - x))
    assert torch.equal(before.rho, rho)
    assert not torch.equal(running.statistics().rho, rho)


@pytest.mark.parametrize("momentum", [0.0, -0.1, 1.1])
def test_momentum_out_of_range(momentum):
    with pytest.raises(ValueError, match="momentum"):
        GaussianDecoder(3, 5, momentum=momentum)


@pytest.mark.parametrize("flip", [0.0, 0.5])
def test_flip_out_of_range(flip):
    with pytest.raises(ValueError, match="flip"):
        BernoulliDecoder(3, 5, flip=flip)


@pytest.mark.parametrize(("module", "formulas"), DECODERS)
def test_one_sample_is_no_batch(module, formulas, batch):
    z, x = (tensor[:1] for tensor in batch)
    with pytest.raises(ValueError, match="one sample"):
        module(3, 5)(z, x)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("module", "formulas"), DECODERS)
def test_statistics_of_half_precision_are_single(module, formulas, batch, dtype):
    z, x = (tensor.to(dtype) for tensor in batch)
    decoder, single = module(3, 5).to(dtype), module(3, 5)
    assert decoder(z, x).dtype is dtype
    assert torch.isfinite(decoder.loss(z, x))
    single(z.float(), x.float())
    found, expected = decoder.running.state_dict(), single.running.state_dict()
    for name in set(found) - {"n_batches"}:
        torch.testing.assert_close(found[name], expected[name])


@pytest.mark.parametrize(("module", "formulas"), DECODERS)
def test_autocast_leaves_statistics_and_gaussian_losses_alone(module, formulas, batch):
    z, x = batch
    plain, decoder = module(3, 5), module(3, 5)
    expected = plain.loss(z, x)
    with torch.autocast("cpu", torch.bfloat16):
        loss = decoder.loss(z, x)
        assert decoder(z, x).dtype is torch.bfloat16
    torch.testing.assert_close(loss, expected, rtol=2e-2, atol=0)
    torch.testing.assert_close(
        decoder.running.statistics().rho, plain.running.statistics().rho, rtol=1e-4, atol=1e-5
    )
