import pytest
import torch
from torch import nn

from line import Line, fit_line, squared_error
from minsyn.data import TensorSamples
from minsyn.training import train
from minsyn.training.progress import training_progress
from minsyn.training.state import TrainingState
from minsyn.training.worker import Worker


@pytest.mark.parametrize("batch_size", [None, 8, 1000])
def test_finds_the_minimum(batch_size):
    module, result = fit_line(batch_size=batch_size, tol=0.0)
    torch.testing.assert_close(module.weight.data, torch.tensor([[1.0, -2.0]]), atol=1e-2, rtol=0)
    assert result.loss < 1e-3


def test_stops_when_the_loss_has_settled_and_not_before():
    _, result = fit_line(tol=0.9, patience=20)
    assert result.converged and result.n_epochs % 20 == 0
    _, result = fit_line(learning_rate=1e-9, patience=5)
    assert result.converged and result.n_epochs == 10
    _, result = fit_line(max_epochs=25)
    assert not result.converged and result.n_epochs == 25


def test_keeps_the_parameters_of_the_lowest_loss():
    """A step size at which the loss goes up and down."""
    module, result = fit_line(learning_rate=2.0, max_epochs=30)
    assert result.loss == min(result.history) < result.history[-1]
    _, again = fit_line(module=module, max_epochs=1)
    assert again.history == [result.loss]


def test_of_equal_losses_the_first_is_kept():
    module = Line()
    first = [parameter.clone() for parameter in module.parameters()]
    state = TrainingState(module, torch.optim.SGD(module.parameters()), torch.Generator(), Worker())
    state.keep_if_best(1.0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 1
    state.keep_if_best(1.0)
    state.restore_best()
    assert all(map(torch.equal, module.parameters(), first))


@pytest.mark.parametrize("batch_size", [None, 8])
def test_keeps_what_is_best_on_held_out_samples(batch_size):
    """Held-out samples of another line, which the fit passes by on its way."""
    module = Line()
    inputs = torch.eye(2)

    def held_out_loss():
        with torch.no_grad():
            return squared_error(module, inputs, inputs @ torch.tensor([[0.5], [-1.0]])).item()

    _, result = fit_line(
        module=module, batch_size=batch_size, max_epochs=100, held_out_loss=held_out_loss
    )
    assert len(result.held_out) == result.n_epochs + 1
    assert 0 < result.best_epoch < result.n_epochs
    assert held_out_loss() == result.loss == result.held_out[result.best_epoch]


def test_never_leaves_a_start_that_is_best_on_held_out_samples():
    module = Line()
    rising = iter(range(1000))
    _, result = fit_line(module=module, held_out_loss=lambda: float(next(rising)), patience=5)
    assert result.converged and result.n_epochs == 10 and result.best_epoch == 0
    assert not module.weight.any()


def test_keeps_the_buffers_that_belong_to_them():
    """As a decoder does, the module notes what it saw at each loss."""
    module = Line()
    module.register_buffer("seen", torch.zeros(1, 2))

    def noted(x, y):
        module.seen.copy_(module.weight.data)
        return squared_error(module, x, y)

    fit_line(module=module, loss=noted, learning_rate=2.0, max_epochs=30)
    assert torch.equal(module.seen, module.weight)


def test_batches_are_of_equal_size_to_one_sample():
    module, sizes = Line(), []

    def counted(x, y):
        sizes.append(len(x))
        return squared_error(module, x, y)

    fit_line(module=module, loss=counted, batch_size=13, max_epochs=2)
    assert sizes == [10, 10, 10, 10] * 2


def test_tells_of_every_epoch():
    seen = []
    _, result = fit_line(max_epochs=7, on_epoch=lambda epoch, loss: seen.append((epoch, loss)))
    assert seen == list(enumerate(result.history, start=1))


def test_a_loss_that_is_not_a_number_is_an_error():
    module = nn.Linear(1, 1)
    with pytest.raises(FloatingPointError, match="learning rate"):
        train(
            module,
            lambda x, y: module(x).mean() * float("nan"),
            TensorSamples(torch.zeros(2, 1), torch.zeros(2, 1)),
            learning_rate=0.1,
            batch_size=None,
            max_epochs=3,
            tol=0.0,
            patience=1,
            generator=torch.Generator(),
        )


def test_samples_without_a_batch():
    class Nothing(TensorSamples):
        def batches(self, *args):
            return iter(())

    with pytest.raises(ValueError, match="yielded no batch"):
        fit_line(samples=Nothing(torch.zeros(3, 2), torch.zeros(3, 1)))


def test_a_batch_of_all_samples_is_no_batch():
    """So its loss is that of the parameters before the step, and the best of them are kept."""
    settings = {"learning_rate": 2.0, "max_epochs": 10}
    whole, one = (fit_line(batch_size=size, **settings)[1] for size in (None, 40))
    assert one.history == pytest.approx(whole.history)
    assert one.loss == pytest.approx(min(whole.history)) and one.loss < one.history[-1]


def test_progress_shows_the_loss_in_its_unit_and_ends_full(capsys):
    with training_progress("Line", 10, loss_unit=2.0, verbose=True) as on_epoch:
        on_epoch(4, 1.5)
    assert "Line" in (shown := capsys.readouterr().err) and "4/4 epochs, loss 3" in shown


def test_the_loss_of_batches_is_that_of_the_last_epoch():
    result = fit_line(batch_size=8, max_epochs=5)[1]
    assert result.loss == result.history[-1] < result.history[-2]
