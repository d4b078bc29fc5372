"""`MinSyn` on batches that come one after another."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from sklearn.utils import check_random_state
from torch import nn

from minsyn.data import SampleStream
from minsyn.data.arrays import ArraySamples
from minsyn.estimators._batch_loss import BatchLoss, own_randomness, training_batches
from minsyn.estimators._encoders import for_standardised_data, hidden_sizes
from minsyn.estimators._fitted import decode_from, exact_statistics, set_encoder
from minsyn.estimators._module import initial_module
from minsyn.estimators._solver_choice import step_size
from minsyn.estimators._training_data import check_n_components, origin_and_scale
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.statistics import RunningStatistics

if TYPE_CHECKING:
    from minsyn.estimators.minsyn import MinSyn

__all__ = ["PartialFit"]

_MOMENTS = ("mean_z", "mean_x", "cov_zz", "cov_zx", "var_x")


class PartialFit:
    """What `MinSyn.partial_fit` keeps between calls, beside the fitted attributes.

    The features' mean and scale, which only make training well conditioned, are those of the first
    batch. A feature that has not varied yet has zero weight in an encoder that was made here, and
    is an input all the same: it gets a gradient, and so a weight, from the first batch that it
    varies in. A decoder that is trained starts without CI synergy of the initial latents about the
    first batch, or from what was fitted.

    Parameters
    ----------
    model : MinSyn
        New, or fitted: then training goes on from its encoder, and from a decoder that was trained.
    X : ndarray of shape (n_samples, n_features)
        The first batch.
    """

    def __init__(self, model: "MinSyn", X: Float[np.ndarray, "samples features"]) -> None:
        n_features = X.shape[1]
        known = vars(model).get("statistics_")
        if known is None:
            n_components = check_n_components(model, *X.shape)
            mean, self.scale = origin_and_scale(X)
            self.mean = mean.astype(np.float64)
        else:
            fitted = getattr(model, "_fitted_decoder", model.decoder)
            if fitted != model.decoder:
                raise ValueError(
                    f"decoder={model.decoder!r}, but partial_fit goes on from a fit with "
                    f"{fitted!r}: set it back, or clone the estimator to begin anew"
                )
            n_components = len(model.components_)
            if model.n_components not in (None, n_components):
                raise ValueError(
                    f"n_components={model.n_components}, but partial_fit goes on from a fit with "
                    f"{n_components}: set it back, or clone the estimator to begin anew"
                )
            self.mean, self.scale = known.mean_x, float(np.sqrt(known.var_x.mean())) or 1.0
        self._everything = np.ones(n_features, dtype=bool)
        seed = check_random_state(model.random_state).randint(np.iinfo(np.int32).max)
        generator = torch.Generator().manual_seed(int(seed))
        self.module = initial_module(
            model, n_components, self._everything, generator, X, whole_batches=False
        )
        self.module.train()
        self.running = RunningStatistics(n_components, n_features, model.momentum).double()
        if known is None:
            varies = torch.from_numpy(X.min(axis=0) < X.max(axis=0))
            # If nothing varied the latents would be, and remain, alike.
            if varies.any() and not isinstance(model.encoder, nn.Module):
                self.module.layers[0].weight.data *= varies
            with own_randomness(model, generator):
                self._loss(model).start_decoder(self._samples(model, X), model.batch_size)
        else:
            self._go_on_from(model, known)
        self.adam = torch.optim.Adam(self.module.parameters(), lr=step_size(model))

    def __call__(self, model: "MinSyn", X: Float[np.ndarray, "samples features"]) -> None:
        """Take a step on each batch of the samples, and refresh the fitted attributes."""
        loss, total = self._loss(model), 0.0
        with own_randomness(model, self.module.generator):
            for batch in self._samples(model, X).batches(model.batch_size):
                self.adam.zero_grad()
                value = loss(*batch)
                if not torch.isfinite(value):
                    raise FloatingPointError(
                        f"the training loss became {value.item()}: lower the learning rate, or "
                        "scale the data"
                    )
                value.backward()
                self.adam.step()
                total += value.item() * len(batch[-1])
        unit = self.scale**2 if model.decoder == "gaussian" else 1.0
        model.loss_curve_ = [*getattr(model, "loss_curve_", []), unit * total / len(X)]
        model.n_iter_, model.converged_ = len(model.loss_curve_), False
        set_encoder(model, self.module, self._everything, self.mean, self.scale)
        batch_statistics = exact_statistics(model, [X])
        moments = (torch.from_numpy(getattr(batch_statistics, name)) for name in _MOMENTS)
        self.running.update(PairwiseStatistics(1.0, *moments))
        average = self.running.statistics()
        decode_from(
            model, PairwiseStatistics(1.0, *(getattr(average, name).numpy() for name in _MOMENTS))
        )
        free = self.module.free
        if free is not None:
            ci_map = model.components_, model.intercept_
            model.components_, model.intercept_ = free.fitted(ci_map, self.mean, self.scale)

    def _loss(self, model: "MinSyn") -> BatchLoss:
        return BatchLoss(model, self.module, self.mean, self.scale, self._everything)

    def _samples(self, model: "MinSyn", X: Float[np.ndarray, "samples features"]) -> SampleStream:
        return training_batches(model, ArraySamples(X), self.mean, self.scale)

    def _go_on_from(self, model: "MinSyn", known: PairwiseStatistics) -> None:
        """Take over encoder, statistics and a decoder that was trained."""
        try:
            if isinstance(model.encoder, nn.Module):
                self.module.encoder.load_state_dict(model.encoder_.state_dict())
            elif hidden_sizes(model.encoder) is not None:
                fitted = for_standardised_data(model.encoder_, self.mean, self.scale)
                self.module.encoder.load_state_dict(fitted.state_dict())
            else:
                weights = model.encoder_weights_ * self.scale
                bias = model.encoder_bias_ + model.encoder_weights_ @ self.mean
                self.module.encoder.weight.data.copy_(torch.from_numpy(weights))
                self.module.encoder.bias.data.copy_(torch.from_numpy(bias))
        except (AttributeError, RuntimeError) as error:  # none of this kind, or of other sizes
            raise ValueError(
                f"the model was fitted with another encoder than encoder={model.encoder!r}, so "
                "partial_fit cannot go on from it: set encoder back, or begin with a clone"
            ) from error
        for name in _MOMENTS:
            getattr(self.running, name).copy_(torch.from_numpy(getattr(known, name)))
        self.running.n_batches.fill_(int(1 / model.momentum))
        if self.module.free is not None:
            weight, bias = model.components_, model.intercept_
            if model.decoder == "gaussian":
                weight, bias = weight / self.scale, (bias - self.mean) / self.scale
            self.module.free.start_at(torch.from_numpy(weight), torch.from_numpy(bias))
