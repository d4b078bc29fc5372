"""Synergy-minimal decoders as torch modules, with weights computed from statistics.

The weights are never trained. In training mode a decoder takes ``(z, x)``, computes its weights
from the statistics of that batch, and updates a moving average of the statistics. In evaluation
mode it takes ``z`` and uses the average. With several processes, the batch is the union of their
batches (see `minsyn.nn.ranks`).

==============================  ============  ==============  ==============================
decoder                         latents       observations    map
==============================  ============  ==============  ==============================
`GaussianDecoder`               Gaussian      Gaussian        linear (Eq. 9)
`BernoulliDecoder`              Bernoulli     Bernoulli       logistic (Eq. 10)
`GaussianBernoulliDecoder`      Gaussian      Bernoulli       logistic
`BernoulliGaussianDecoder`      Bernoulli     Gaussian        linear (Eq. 9)
`GaussianCategoricalDecoder`    Gaussian      categorical     softmax
`BernoulliCategoricalDecoder`   Bernoulli     categorical     softmax
`SingleParentDecoder`           Gaussian      Gaussian        linear, one latent per feature
==============================  ============  ==============  ==============================

The last decoder has no GK synergy; the others have no CI synergy. `ci_synergy_penalty` and
`gk_synergy_penalty` pull a freely trained decoder towards them, with adjustable strength.
`union_information` and `gk_synergy` of `minsyn.nn.union_information` are certified values of
pmfs, with gradients.
"""

from minsyn.nn.bernoulli import BernoulliDecoder
from minsyn.nn.categorical import BernoulliCategoricalDecoder, GaussianCategoricalDecoder
from minsyn.nn.decoder import DECODERS, Decoder, find_decoder
from minsyn.nn.free import FreeDecoder
from minsyn.nn.gaussian import GaussianDecoder
from minsyn.nn.latents import LATENTS, LINEAR, SIGMOID, SOFTPLUS, Latents
from minsyn.nn.mixed import BernoulliGaussianDecoder, GaussianBernoulliDecoder
from minsyn.nn.observations import BINARY, BOUNDED, REAL, Categorical, Observations, observations_of
from minsyn.nn.penalties import ci_synergy_penalty, gk_synergy_penalty
from minsyn.nn.ranks import share_of_batch, statistics_over_ranks
from minsyn.nn.single_parent import SingleParentDecoder
from minsyn.nn.statistics import RunningStatistics

__all__ = [
    "BINARY",
    "BOUNDED",
    "DECODERS",
    "LATENTS",
    "LINEAR",
    "REAL",
    "SIGMOID",
    "SOFTPLUS",
    "BernoulliCategoricalDecoder",
    "BernoulliDecoder",
    "BernoulliGaussianDecoder",
    "Categorical",
    "Decoder",
    "FreeDecoder",
    "GaussianBernoulliDecoder",
    "GaussianCategoricalDecoder",
    "GaussianDecoder",
    "Latents",
    "Observations",
    "RunningStatistics",
    "SingleParentDecoder",
    "ci_synergy_penalty",
    "find_decoder",
    "gk_synergy_penalty",
    "observations_of",
    "share_of_batch",
    "statistics_over_ranks",
]
