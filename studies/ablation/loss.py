"""Loss of ablated models, with the same masks for every kind of decoder."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from minsyn.estimators.vectors.group_fit import DECODER_PENALTY, LEAST_VARIANCE, log_odds
from minsyn.information.gaussian import ci_linear_map
from minsyn.information.statistics import PairwiseStatistics
from minsyn.training.batched_lbfgs import BatchObjective

__all__ = ["AblationProblem", "FeatureGroup", "Fitted"]

#: As in `VectorMinSyn`, whose loss this one must equal for single-parent decoders.
_START_COMPONENTS, _START_RIDGE, _DEAD = 8, 1e-3, 0.02
_RANK_TOLERANCE = 1e-5


class FeatureGroup(NamedTuple):
    """Features that share sample weights, and the latents that see them.

    Attributes
    ----------
    features : integer array
        Columns of the group.
    latents : integer array
        Its own latents; none for features that belong to no group.
    weight : ndarray of shape (n_samples,)
        Weights of the samples, whose scale does not matter.
    """

    features: Int[np.ndarray, " k"]
    latents: Int[np.ndarray, " l"]
    weight: Float[np.ndarray, " samples"]


class Fitted(NamedTuple):
    """Encoder and decoder for features as they were given."""

    encoder_weights: Float[np.ndarray, "latents features"]
    encoder_bias: Float[np.ndarray, " latents"]
    components: Float[np.ndarray, "latents features"]
    intercept: Float[np.ndarray, " features"]


class AblationProblem:
    r"""Loss of all latents and features at once, relative to that of the means.

    Over :math:`A, b` and, where the decoder is trained, :math:`D, c`, with
    :math:`V = \sum_g p_g V_g` the features' variance under their groups' weights,

    .. math::

        \frac1V \sum_g \Bigl[\sum_s w^g_s \lVert x_s - f(z_s D + c) \rVert_g^2
        + \lambda p_g V_g \Bigl(p_g V_g \lVert A_g \rVert^2
        + \frac{100}{p_g} \lVert D_g \rVert^2\Bigr)\Bigr], \quad
        z = \mathrm{softplus}((x - \bar x) (A \circ M)' + b).

    For a single-parent decoder this is the sum of the losses that `VectorMinSyn` minimises group
    by group, weighted by the groups' shares of the variance. A linear decoder's :math:`D_g` counts
    in units of :math:`\sqrt{V_g}`, also there. Where the decoder is set in closed form, so is the D
    that is penalised.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Data.
    groups : sequence of FeatureGroup
        Disjoint; features in none of them are reconstructed by their means.
    n_latents : int
        Number of latents.
    decoder : {"ci", "free", "single-parent"}
        Set in closed form (Eq. 9), trained, or trained with each feature's own latents alone.
    logistic : bool
        Whether reconstructions are logistic in the latents.
    """

    def __init__(
        self,
        X: Float[np.ndarray, "samples features"],
        groups: Sequence[FeatureGroup],
        n_latents: int,
        decoder: str,
        logistic: bool,
    ) -> None:
        self.n_latents, self.decoder, self.logistic = n_latents, decoder, logistic
        #: Reconstructions, or their log odds, of features that belong to no group.
        self._level = log_odds(X.mean(axis=0)) if logistic else X.mean(axis=0)
        self.groups = [group for group in groups if len(group.features)]
        if not self.groups:
            raise ValueError("X: no feature belongs to a group; give data that vary")
        self.columns = np.concatenate([group.features for group in self.groups])
        X = X[:, self.columns]
        self._slices = _slices([len(group.features) for group in self.groups])
        weights = np.stack([group.weight / group.weight.sum() for group in self.groups])
        sizes = np.array([len(group.features) for group in self.groups])
        self.means = np.concatenate(
            [w @ X[:, s] for w, s in zip(weights, self._slices, strict=True)]
        )
        dX = X - self.means
        variances = np.array(
            [np.mean(w @ dX[:, s] ** 2) for w, s in zip(weights, self._slices, strict=True)]
        ).clip(LEAST_VARIANCE)
        total = float(sizes @ variances)
        of_group = np.repeat(np.arange(len(sizes)), sizes)
        #: What features are divided by: linear maps count in these units.
        self.units = np.ones(len(of_group)) if logistic else np.sqrt(variances)[of_group]
        targets = X if logistic else dX / self.units
        self.loss_unit = total
        self._weights = [_tensor(w) for w in weights]
        self._targets = _tensor(targets)
        # One over the whole variance, in the targets' units.
        self._error_weight = _tensor(weights[of_group].T * self.units**2 / total)
        self._decoder_cost = _tensor((DECODER_PENALTY * variances / total)[of_group])
        self._decoder_mask = np.ones((n_latents, len(of_group)), dtype=bool)
        if decoder == "single-parent":
            own = [np.isin(np.arange(n_latents), group.latents) for group in self.groups]
            self._decoder_mask = np.repeat(np.array(own), sizes, axis=0).T
        self._set_encoder_coordinates(dX, weights, sizes * variances, total)

    def _set_encoder_coordinates(
        self,
        dX: Float[np.ndarray, "samples k"],
        weights: Float[np.ndarray, "groups samples"],
        variances: Float[np.ndarray, " groups"],
        total: float,
    ) -> None:
        """Principal components of each group, in whose span its latents' weights lie."""
        scores, masks, costs, shares, maps = [], [], [], [], []
        parts = zip(self.groups, weights, self._slices, variances, strict=True)
        for group, w, columns, variance in parts:
            if not len(group.latents):
                continue
            own = dX[:, columns]
            _, s, vt = np.linalg.svd(np.sqrt(w)[:, np.newaxis] * own, full_matrices=False)
            kept = s > _RANK_TOLERANCE * s.max(initial=0.0)
            if not kept.any():
                kept[:1], s[:1] = True, 1.0
            s, vt = s[kept], vt[kept]
            scores.append(own @ vt.T / s)
            mask = np.zeros((len(s), self.n_latents), dtype=bool)
            mask[:, group.latents] = True
            masks.append(mask)
            costs.append(variance**2 / total / s**2)
            first = np.arange(len(s)) < max(_START_COMPONENTS, 2 * len(group.latents))
            shares.append(first * s / np.sqrt(np.sum(s[first] ** 2)))
            axes = np.zeros((len(s), dX.shape[1]))
            axes[:, columns] = vt / s[:, np.newaxis]
            maps.append(axes)
        self._scores = _tensor(np.concatenate(scores, axis=1))
        self._encoder_mask = np.concatenate(masks)
        self._encoder_cost = _tensor(np.concatenate(costs))[:, None]
        self._start_share = np.concatenate(shares)[:, np.newaxis]
        self._axes = np.concatenate(maps)

    @property
    def _trains_decoder(self) -> bool:
        return self.decoder != "ci"

    def search(self) -> "AblationProblem":
        """The problem itself: starts are compared on all samples."""
        return self

    def starts(
        self, n_starts: int, random_state: np.random.RandomState
    ) -> Float[np.ndarray, "starts k"]:
        """Pre-activations of unit variance along the first components; a decoder regressed on them.

        Each group's, as for a single-parent model.
        """
        rank, m = self._encoder_mask.shape
        a = random_state.normal(size=(n_starts, rank, m)) * self._start_share * self._encoder_mask
        parts = [a, np.zeros((n_starts, m))]
        if self._trains_decoder:
            parts += self._first_decoder(np.logaddexp(0, self._scores.numpy() @ a))
        flat = np.concatenate([part.reshape(n_starts, -1) for part in parts], axis=1)
        return np.ascontiguousarray(flat, dtype=np.float32)

    def _first_decoder(
        self, z: Float[np.ndarray, "starts samples latents"]
    ) -> list[Float[np.ndarray, "..."]]:
        """Ridge regression; for a logistic decoder, to first order around the means."""
        d = np.zeros((len(z), self.n_latents, len(self.columns)))
        c = np.zeros((len(z), len(self.columns)))
        for group, weight, columns in zip(self.groups, self._weights, self._slices, strict=True):
            own = group.latents if self.decoder == "single-parent" else np.arange(self.n_latents)
            w = weight.numpy()[:, np.newaxis]
            mean_z = np.sum(w * z[:, :, own], axis=1, keepdims=True)
            dz = z[:, :, own] - mean_z
            weighted = (w * dz).swapaxes(1, 2)
            ridge = _START_RIDGE * np.eye(len(own))
            slopes = np.linalg.solve(
                weighted @ dz + ridge, weighted @ self._targets[:, columns].numpy()
            )
            level = np.zeros(slopes.shape[2])
            if self.logistic:
                mean = np.clip(self.means[columns], 0.02, 0.98)
                slopes, level = slopes / np.maximum(mean * (1 - mean), 0.05), log_odds(mean)
            d[:, own, columns] = slopes
            c[:, columns] = level - (mean_z @ slopes)[:, 0]
        return [d, c]

    def revived(
        self, x: Float[np.ndarray, "starts k"], random_state: np.random.RandomState
    ) -> Float[np.ndarray, "starts k"]:
        """The same, but latents that strong penalties brought to 0 start anew."""
        x = x.copy()
        fresh = self._split(self.starts(len(x), random_state))
        old = self._split(x)
        d = np.stack([self._maps(torch.from_numpy(row))[0].numpy() for row in x])
        size = np.linalg.norm(old[0], axis=1) * np.linalg.norm(d, axis=2)
        dead = (size <= _DEAD * size.max(axis=1, keepdims=True))[:, np.newaxis]
        np.copyto(old[0], fresh[0], where=dead)
        if self._trains_decoder:
            np.copyto(old[2], fresh[2], where=dead.swapaxes(1, 2))
        return x

    def objective(self, penalty: float) -> BatchObjective:
        """Losses and gradients under a penalty."""

        def evaluate(x: Any) -> tuple[Any, Any]:
            losses, gradients = np.empty(len(x), x.dtype), np.empty_like(x)
            for start, row in enumerate(x):
                point = torch.tensor(row, requires_grad=True)
                loss = self._loss(point, penalty)
                (gradient,) = torch.autograd.grad(loss, point)
                losses[start], gradients[start] = loss.item(), gradient.numpy()
            return losses, gradients

        return evaluate

    def _loss(self, x: Float[Tensor, " k"], penalty: float) -> Float[Tensor, ""]:
        a = self._split(x[None])[0][0] * torch.from_numpy(self._encoder_mask)
        d, c = self._maps(x)
        x_hat = torch.addmm(c, self._latents(x), d)
        if self.logistic:
            x_hat = torch.sigmoid(x_hat)
        error = torch.sum(self._error_weight * (x_hat - self._targets) ** 2)
        encoder, decoder = (
            torch.sum(self._encoder_cost * a**2),
            torch.sum(self._decoder_cost * d**2),
        )
        return error + penalty * (encoder + decoder)

    def _latents(self, x: Float[Tensor, " k"]) -> Float[Tensor, "samples latents"]:
        a, b, *_ = self._split(x[None])
        mask = torch.from_numpy(self._encoder_mask)
        return torch.logaddexp(self._scores @ (a[0] * mask) + b[0], torch.zeros((), dtype=x.dtype))

    def _maps(
        self, x: Float[Tensor, " k"]
    ) -> tuple[Float[Tensor, "latents columns"], Float[Tensor, " columns"]]:
        """The decoder: its parameters, or what follows from the latents of this encoder."""
        if self._trains_decoder:
            _, _, d, c = self._split(x[None])
            return d[0] * torch.from_numpy(self._decoder_mask), c[0]
        z = self._latents(x)
        maps = [
            ci_linear_map(weighted_statistics(z, self._targets[:, columns], weight))
            for columns, weight in zip(self._slices, self._weights, strict=True)
        ]
        return torch.cat([d for d, _ in maps], dim=1), torch.cat([c for _, c in maps])

    def _split(self, x: Any) -> list[Any]:
        """Encoder weights (starts, rank, m), biases (starts, m), and the decoder's, if trained."""
        (rank, m), p = self._encoder_mask.shape, len(self.columns)
        shapes = [(rank, m), (m,), (m, p), (p,)] if self._trains_decoder else [(rank, m), (m,)]
        parts, end = [], 0
        for shape in shapes:
            start, end = end, end + int(np.prod(shape))
            parts.append(x[:, start:end].reshape(len(x), *shape))
        return parts

    def solution(self, x: Float[np.ndarray, " k"]) -> Fitted:
        """The model for features as they were given, those of no group by their means."""
        point = torch.from_numpy(x)
        a = self._split(x[np.newaxis])[0][0] * self._encoder_mask
        weights = np.zeros((self.n_latents, len(self._level)))
        weights[:, self.columns] = a.T.astype(np.float64) @ self._axes
        bias = self._split(x[np.newaxis])[1][0].astype(np.float64)
        bias -= weights[:, self.columns] @ self.means
        d, c = (part.double().numpy() for part in self._maps(point))
        components, intercept = np.zeros_like(weights), self._level.copy()
        components[:, self.columns] = d * self.units
        intercept[self.columns] = c * self.units + (0.0 if self.logistic else self.means)
        return Fitted(weights, bias, components, intercept)


def weighted_statistics(
    z: Float[Any, "samples m"], x: Float[Any, "samples n"], weight: Float[Any, " samples"]
) -> PairwiseStatistics:
    """Pairwise statistics of weighted samples; the weights sum to 1."""
    mean_z, mean_x = weight @ z, weight @ x
    dz, dx = z - mean_z, x - mean_x
    weighted = dz * weight[:, None]
    return PairwiseStatistics(
        weight=1.0,
        mean_z=mean_z,
        mean_x=mean_x,
        cov_zz=weighted.T @ dz,
        cov_zx=weighted.T @ dx,
        var_x=weight @ dx**2,
    )


def _slices(sizes: Sequence[int]) -> list[slice]:
    ends = np.cumsum(sizes)
    return [slice(int(end - size), int(end)) for end, size in zip(ends, sizes, strict=True)]


def _tensor(values: Float[np.ndarray, "..."]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
