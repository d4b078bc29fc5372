"""What `MinSyn` trains: an encoder, and a decoder that is set or drawn towards the one it sets."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from minsyn.estimators._encoders import hidden_sizes, initial_mlp, own_encoder
from minsyn.estimators._free_decoder import FreeDecoder
from minsyn.estimators._solver_choice import step_size
from minsyn.nn import BernoulliDecoder, Decoder, GaussianDecoder
from minsyn.nn.objectives import BernoulliObjective, GaussianObjective, Objective

if TYPE_CHECKING:
    from minsyn.estimators.minsyn import MinSyn

__all__ = ["MinSynModule", "initial_module", "objective_of"]

#: By how much one step of a decoder that is trained may change means of features of mean square 1.
_MEAN_STEP = 0.1
#: The same for log odds, which are larger.
_LOG_ODDS_STEP = 0.3


class MinSynModule(nn.Module):
    """An encoder, its activation, and a decoder without CI synergy.

    Parameters
    ----------
    decoder : Decoder
        Says what kind of latents there are.
    varies : ndarray of bool, shape (n_features,)
        Features that the linear encoder sees: those that vary.
    generator : torch.Generator
        Draws the initial weights.
    encoder : nn.Module, optional
        Gives pre-activations (n_samples, n_latents); None is linear.
    free : FreeDecoder, optional
        A decoder that is trained instead.
    """

    def __init__(
        self,
        decoder: Decoder,
        varies: Bool[np.ndarray, " features"],
        generator: torch.Generator,
        encoder: nn.Module | None = None,
        free: FreeDecoder | None = None,
    ) -> None:
        super().__init__()
        self.activation = torch.sigmoid if isinstance(decoder, BernoulliDecoder) else F.softplus
        self.decoder = decoder
        self.free = free
        self.generator = generator
        n_latents = decoder.running.n_latents
        self.encoder: Any = (
            _initial_linear(n_latents, varies, generator) if encoder is None else encoder
        )

    def forward(self, inputs: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch latents"]:
        return self.activation(self.encoder(inputs))

    @property
    def layers(self) -> list[Any]:
        """Layers of an encoder that was made here, the first of them linear."""
        return [self.encoder] if isinstance(self.encoder, nn.Linear) else list(self.encoder)

    def encoder_of_all(
        self, varies: Bool[np.ndarray, " features"]
    ) -> tuple[Float[np.ndarray, "latents features"], Float[np.ndarray, " latents"]]:
        """Weights, of which those of constant features are 0, and biases, in float64."""
        weights = np.zeros((self.encoder.out_features, len(varies)))
        weights[:, varies] = self.encoder.weight.detach().numpy()
        return weights, self.encoder.bias.detach().double().numpy()


def _initial_linear(
    n_latents: int, varies: Bool[np.ndarray, " features"], generator: torch.Generator
) -> nn.Linear:
    # Pre-activations of unit variance for features of mean square 1.
    weight = torch.empty(n_latents, len(varies))
    nn.init.normal_(weight, std=len(varies) ** -0.5, generator=generator)
    encoder = nn.Linear(int(varies.sum()), n_latents)
    encoder.weight.data.copy_(weight[:, varies])
    nn.init.zeros_(encoder.bias)
    return encoder


def initial_module(
    model: "MinSyn",
    n_components: int,
    varies: Bool[np.ndarray, " features"],
    generator: torch.Generator,
    rows: Float[np.ndarray, "samples features"] | None,
    *,
    whole_batches: bool,
) -> MinSynModule:
    """The module before training.

    Parameters
    ----------
    model : MinSyn
        Its parameters say what is trained.
    n_components : int
        Number of latents.
    varies : ndarray of bool, shape (n_features,)
        Features that are inputs of an encoder made here.
    generator : torch.Generator
        Draws the initial weights.
    rows : ndarray of shape (n_samples, n_features) or None
        Samples as they were given, two of which an encoder of the user's own is tried on.
    whole_batches : bool
        Whether each step sees all samples.
    """
    decoder = GaussianDecoder if model.decoder == "gaussian" else BernoulliDecoder
    encoder: nn.Module | None = None
    hidden = hidden_sizes(model.encoder)
    if isinstance(model.encoder, nn.Module):
        assert rows is not None
        encoder = own_encoder(model.encoder, rows, n_components)
    elif hidden is not None:
        encoder = initial_mlp(varies, hidden, n_components, generator)
    return MinSynModule(
        decoder(n_components, len(varies), model.momentum),
        varies,
        generator,
        encoder,
        _free_decoder(model, n_components, len(varies), whole_batches),
    )


def _free_decoder(
    model: "MinSyn", n_components: int, n_features: int, whole_batches: bool
) -> FreeDecoder | None:
    if model.synergy_weight == np.inf:
        return None
    step = step_size(model)
    if model.learning_rate == "auto":
        step = (_LOG_ODDS_STEP if model._binary_features else _MEAN_STEP) / n_components
    return FreeDecoder(
        n_components,
        n_features,
        binary=model._binary_features,
        synergy_weight=float(model.synergy_weight),
        relative_step=step / step_size(model),
        follows=model.synergy_weight > 0 and whole_batches,
    )


def objective_of(model: "MinSyn", x: Float[Tensor, "samples features"]) -> Objective:
    """The loss of data as a function of latents, with a gradient that is written by hand."""
    return GaussianObjective(x) if model.decoder == "gaussian" else BernoulliObjective(x)
