"""Encoders and decoders of groups of features, one net for each, as one batched program."""

import copy
import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

__all__ = ["GroupDecoder", "GroupEncoder", "GroupNet"]

#: Gain that keeps the scale through a layer: the inverse root mean square of SiLU of a standard
#: normal variable.
_SILU_GAIN = 1.676

# typing.Self is not known to beartype, which checks single methods in the tests.
Self = TypeVar("Self", bound="_GroupMap")


class GroupNet(nn.Module):
    """Nets of several groups side by side, with SiLU between their layers.

    Samples are in columns, so that features are gathered and scattered as rows of memory.

    Parameters
    ----------
    n_groups : int
        Number of nets.
    sizes : sequence of int
        Numbers of inputs, of hidden units, and of outputs; the same for each net.
    straight : bool
        Whether a linear map from inputs to outputs is added.

    Examples
    --------
    >>> GroupNet(3, (5, 8, 2), straight=False)(torch.zeros(3, 5, 10)).shape
    torch.Size([3, 2, 10])
    """

    def __init__(self, n_groups: int, sizes: Sequence[int], *, straight: bool) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList(torch.zeros(n_groups, m, n) for n, m in pairs)
        self.biases = nn.ParameterList(torch.zeros(n_groups, m, 1) for _, m in pairs)
        self.straight = nn.Parameter(torch.zeros(n_groups, sizes[-1], sizes[0] * straight))

    def draw(self, generator: torch.Generator, n_inputs: Int[np.ndarray, " groups"]) -> None:
        """Draw weights that give outputs of unit variance in each layer.

        Parameters
        ----------
        generator : torch.Generator
            Source of the weights.
        n_inputs : ndarray of shape (n_groups,)
            Number of inputs of each net that are not padding.
        """
        with torch.no_grad():
            for number, weight in enumerate(self.weights):
                std = torch.full((len(weight),), _SILU_GAIN * weight.shape[2] ** -0.5)
                if number == 0:
                    std = torch.from_numpy(np.maximum(n_inputs, 1) ** -0.5).float()
                drawn = torch.randn(weight.shape, generator=generator)
                weight.copy_(std[:, None, None] * drawn)

    def forward(
        self, inputs: Float[Tensor, "groups inputs samples"]
    ) -> Float[Tensor, "groups outputs samples"]:
        """Outputs of each net."""
        hidden = inputs
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if number:
                hidden = F.silu(hidden)
            hidden = torch.baddbmm(bias, weight, hidden)
        if self.straight.shape[2]:
            hidden = hidden + self.straight @ inputs
        return hidden


class _GroupMap(nn.Module, ABC):
    """Map between features and latents that are split into groups.

    Features and latents have an origin and a unit, 0 and 1 while training.

    Parameters
    ----------
    of_features : ndarray of bool, shape (n_groups, n_features)
        Features that belong to each group.
    n_latents : ndarray of shape (n_groups,)
        Number of latents of each group.
    hidden : sequence of int
        Sizes of the hidden layers.
    straight : bool
        Whether a linear map is added.
    """

    #: Name of the mask of features.
    mask: ClassVar[str]
    feature_mean: Tensor
    feature_unit: Tensor
    latent_mean: Tensor
    latent_unit: Tensor
    n_latents: Tensor
    features: Tensor
    kept: Tensor

    def __init__(
        self,
        of_features: Bool[np.ndarray, "groups features"],
        n_latents: Int[np.ndarray, " groups"],
        hidden: Sequence[int],
        *,
        straight: bool,
    ) -> None:
        super().__init__()
        self.n_groups, n_features = of_features.shape
        self.hidden = tuple(hidden)
        features, latents = _slots(of_features), _slots_of_latents(n_latents)
        self.n_slots = latents.shape[1]
        self.register_buffer(self.mask, torch.from_numpy(of_features.copy()))
        self.register_buffer("n_latents", torch.from_numpy(n_latents.astype(np.int64)))
        self.register_buffer("features", torch.from_numpy(features.ravel()), persistent=False)
        kept = np.flatnonzero(latents.ravel() >= 0)
        self.register_buffer("kept", torch.from_numpy(kept), persistent=False)
        for of, length in (("feature", n_features), ("latent", len(kept))):
            self.register_buffer(f"{of}_mean", torch.zeros(length))
            self.register_buffer(f"{of}_unit", torch.ones(length))
        sizes = self.sizes(of_features, n_latents, hidden)
        self.net = GroupNet(self.n_groups, sizes, straight=straight)

    @classmethod
    def sizes(
        cls,
        of_features: Bool[np.ndarray, "groups features"],
        n_latents: Int[np.ndarray, " groups"],
        hidden: Sequence[int],
    ) -> list[int]:
        """Numbers of inputs, of hidden units and of outputs of each net."""
        widest, most = max(int(of_features.sum(axis=1).max()), 1), int(n_latents.max())
        return cls._sizes(widest, most, hidden)

    @staticmethod
    @abstractmethod
    def _sizes(widest: int, most: int, hidden: Sequence[int]) -> list[int]:
        """The same, from the largest numbers of features and of latents."""

    def rescaled(
        self: Self, mean: Float[np.ndarray, " features"], scale: Float[np.ndarray, " features"]
    ) -> Self:
        """The map from, or to, ``mean + scale * x``, with the same latents."""
        rescaled = copy.deepcopy(self)
        rescaled.feature_mean.copy_(torch.from_numpy(mean + scale * self.feature_mean.numpy()))
        rescaled.feature_unit.copy_(torch.from_numpy(scale * self.feature_unit.numpy()))
        return rescaled


class GroupEncoder(_GroupMap):
    """Latents of each group of features, by a net of its own.

    Parameters
    ----------
    inputs : ndarray of bool, shape (n_groups, n_features)
        Features that each group's latents are computed from.
    n_latents : ndarray of shape (n_groups,)
        Number of latents of each group.
    hidden : sequence of int
        Sizes of the hidden layers.
    straight : bool
        Whether a linear map is added.

    Examples
    --------
    >>> inputs = np.array([[True, True, True, False], [False, False, True, True]])
    >>> encoder = GroupEncoder(inputs, np.array([2, 1]), (8,), straight=False)
    >>> encoder(torch.zeros(10, 4)).shape
    torch.Size([10, 3])
    """

    mask = "inputs"
    inputs: Tensor

    @staticmethod
    def _sizes(widest: int, most: int, hidden: Sequence[int]) -> list[int]:
        return [widest, *hidden, most]

    def forward(self, x: Float[Tensor, "samples features"]) -> Float[Tensor, "samples latents"]:
        """Latents of all groups, side by side."""
        x = (x - self.feature_mean) / self.feature_unit
        padded = torch.cat([x.T, x.new_zeros(1, len(x))])
        gathered = padded[self.features].view(self.n_groups, -1, len(x))
        z = self.net(gathered).flatten(0, 1)[self.kept].T
        standardised: Tensor = (z - self.latent_mean) / self.latent_unit
        return standardised


class GroupDecoder(_GroupMap):
    r"""Natural parameters of features, as sums over the nets of their parents.

    .. math:: \eta_i = c_i + \sum_{k \in \mathrm{parents}(i)} d_{ki}(z_k)

    This is an additive decoder [1]_ of blocks :math:`z_k`, each for few features.

    Parameters
    ----------
    parents : ndarray of bool, shape (n_groups, n_features)
        Groups that each feature is decoded from.
    n_latents : ndarray of shape (n_groups,)
        Number of latents of each group.
    hidden : sequence of int
        Sizes of the hidden layers.
    straight : bool
        Whether a linear map is added.

    References
    ----------
    .. [1] Lachapelle, Mahajan, Mitliagkas and Lacoste-Julien, "Additive Decoders for Latent
       Variables Identification and Cartesian-Product Extrapolation", NeurIPS 2023.

    Examples
    --------
    >>> parents = np.array([[True, True, True, False], [False, False, True, True]])
    >>> decoder = GroupDecoder(parents, np.array([2, 1]), (8,), straight=False)
    >>> decoder(torch.zeros(10, 3)).shape
    torch.Size([10, 4])
    """

    mask = "parents"
    parents: Tensor

    def __init__(
        self,
        parents: Bool[np.ndarray, "groups features"],
        n_latents: Int[np.ndarray, " groups"],
        hidden: Sequence[int],
        *,
        straight: bool,
    ) -> None:
        super().__init__(parents, n_latents, hidden, straight=straight)
        self.intercept = nn.Parameter(torch.zeros(parents.shape[1]))

    @staticmethod
    def _sizes(widest: int, most: int, hidden: Sequence[int]) -> list[int]:
        return [most, *hidden, widest]

    def forward(self, z: Float[Tensor, "samples latents"]) -> Float[Tensor, "samples features"]:
        """Natural parameters of all features."""
        parts = self.parts(z).flatten(0, 1)
        # One more row takes what padding gives.
        sums = parts.new_zeros(len(self.intercept) + 1, len(z)).index_add(0, self.features, parts)
        natural = sums[:-1].T + self.intercept
        return natural * self.feature_unit + self.feature_mean

    def parts(self, z: Float[Tensor, "samples latents"]) -> Float[Tensor, "groups slots samples"]:
        """What each group adds to the natural parameters of its features, before their unit."""
        z = z * self.latent_unit + self.latent_mean
        slots = z.new_zeros(self.n_groups * self.n_slots, len(z)).index_copy(0, self.kept, z.T)
        outputs: Tensor = self.net(slots.view(self.n_groups, self.n_slots, -1))
        return outputs


def _slots(mask: Bool[np.ndarray, "groups features"]) -> Int[np.ndarray, "groups slots"]:
    """Features of each group, padded to equal lengths by the number of all features."""
    n_groups, n_features = mask.shape
    slots = np.full((n_groups, max(int(mask.sum(axis=1).max()), 1)), n_features)
    for row, own in zip(slots, mask, strict=True):
        found = np.flatnonzero(own)
        row[: len(found)] = found
    return slots


def _slots_of_latents(n_latents: Int[np.ndarray, " groups"]) -> Int[np.ndarray, "groups slots"]:
    """Latents of each group, padded to equal lengths by -1."""
    slots = np.full((len(n_latents), int(n_latents.max())), -1)
    mask = np.arange(slots.shape[1]) < n_latents[:, np.newaxis]
    slots[mask] = np.arange(int(n_latents.sum()))
    return slots
