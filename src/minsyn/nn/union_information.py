"""Union information and synergy of pmfs as torch functions, with gradients.

The potentials of the certified solver are the derivative: by the envelope theorem, what the union
information gains by a little more of p(z, x) is ``sum_j f_j(z_j, x)``.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from minsyn.information import union_information_batch
from minsyn.information._options import whole_number
from minsyn.information._pmf import Unit, in_unit

__all__ = ["gk_synergy", "union_information"]


def union_information(
    pmf: Float[Tensor, "*shape"], *, batch_dims: int = 0, unit: Unit = "bits"
) -> Float[Tensor, "*batch"]:
    r"""Union information of pmfs (Griffith and Koch 2014; Eq. 2), differentiable.

    U(Z_1:m; X) = min over q with q(z_j, x) = p(z_j, x) of I_q(Z_1:m; X)

    Parameters
    ----------
    pmf : Tensor, shape (\*batch, |Z_1|, ..., |Z_m|, |X|)
        Joint probabilities: sources first, the target last. They are divided by their sum, so that
        the gradient has no part that would change it.
    batch_dims : int, default=0
        Number of leading axes that count pmfs.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    Tensor, shape (\*batch,)
        Of the type and device of ``pmf``. The solver works in double precision on the CPU.

    Raises
    ------
    ValueError
        If there is no pmf or a pmf has one axis only, or holds negative or infinite numbers or NaN,
        or none but zeros.

    Warns
    -----
    UncertifiedWarning
        If a value is not certified to 1e-9 bit.

    Notes
    -----
    The derivative with respect to p(z, x) is sum_j f_j(z_j, x) with the potentials f of
    `minsyn.information.UnionInformation`. Where p(z_j, x) = 0 for some j, p(z, x) counts as fixed:
    only the division by the sum reaches it. At a kink, as that of XOR, the gradient is one of the
    subgradients. There is no second derivative.

    References
    ----------
    Griffith, Koch (2014), "Quantifying synergistic mutual information", arXiv:1205.4265.
    Danskin (1967), The theory of max-min, Springer, for the derivative of a minimum.

    See Also
    --------
    minsyn.information.union_information : The same of arrays, with its certificate.

    Examples
    --------
    >>> p = torch.full((2, 2, 2), 1 / 8, dtype=torch.float64)
    >>> p[0, 0, 0] += 1 / 8
    >>> p.requires_grad_()
    tensor([[[0.2500, 0.1250],
    ...
    >>> value = union_information(p)
    >>> value.backward()
    >>> p.grad.shape, bool((p.grad * p).sum().abs() < 1e-9)
    (torch.Size([2, 2, 2]), True)
    """
    normalised = _normalised(pmf, batch_dims)
    flat = normalised.reshape(-1, *normalised.shape[batch_dims:])
    nats: Tensor = _UnionInformation.apply(flat)  # type: ignore[no-untyped-call]
    information: Tensor = in_unit(1.0, unit) * nats.reshape(normalised.shape[:batch_dims])
    return information


def gk_synergy(
    pmf: Float[Tensor, "*shape"], *, batch_dims: int = 0, unit: Unit = "bits"
) -> Float[Tensor, "*batch"]:
    r"""Griffith-Koch synergy S = I(Z_1:m; X) - U(Z_1:m; X) of pmfs (Eq. 3), differentiable.

    Parameters
    ----------
    pmf : Tensor, shape (\*batch, |Z_1|, ..., |Z_m|, |X|)
        Joint probabilities: sources first, the target last. They are divided by their sum.
    batch_dims : int, default=0
        Number of leading axes that count pmfs.
    unit : {"bits", "nats"}
        Unit of the result.

    Returns
    -------
    Tensor, shape (\*batch,)
        At least 0, to the rounding of the type of ``pmf``. For its errors, warnings and gradient
        see `union_information`.

    Examples
    --------
    Gradient descent finds the channel of two fair coins with most synergy, which is XOR (or not
    XOR):

    >>> logits = torch.tensor([[0.3, -0.2], [-0.1, 0.4]], dtype=torch.float64).requires_grad_()
    >>> for step in range(25):
    ...     one = torch.sigmoid(logits) / 4
    ...     synergy = gk_synergy(torch.stack([1 / 4 - one, one], dim=-1))
    ...     (gradient,) = torch.autograd.grad(synergy, logits)
    ...     logits = (logits + 20 * gradient).detach().requires_grad_()
    >>> round(synergy.item(), 1), (logits > 0).int().tolist()
    (1.0, [[1, 0], [0, 1]])
    """
    p = _normalised(pmf, batch_dims)
    p = p.reshape(*p.shape[:batch_dims], -1, p.shape[-1])
    # log 1 where p is 0: neither the value nor the gradient has a part there. Not the log of a
    # ratio, as products of small probabilities underflow.
    log_p, log_z, log_x = (
        torch.where(p > 0, q, 1.0).log()
        for q in (p, p.sum(dim=-1, keepdim=True), p.sum(dim=-2, keepdim=True))
    )
    whole = in_unit(1.0, unit) * (p * (log_p - log_z - log_x)).sum(dim=(-2, -1))
    synergy: Tensor = whole - union_information(pmf, batch_dims=batch_dims, unit=unit)
    return synergy


def _normalised(pmf: Float[Tensor, "*shape"], batch_dims: int) -> Float[Tensor, "*shape"]:
    if not isinstance(pmf, Tensor) or not pmf.is_floating_point():
        raise ValueError(
            "pmf must be a tensor of floating type; of arrays see "
            "minsyn.information.union_information"
        )
    if not 0 <= whole_number(batch_dims, "batch_dims", 0) <= pmf.ndim - 2:
        raise ValueError(
            "pmf must have an axis for each source and one for the target, behind batch_dims axes; "
            f"found shape {tuple(pmf.shape)} and batch_dims={batch_dims}"
        )
    if pmf.numel() == 0:
        raise ValueError(f"pmf is empty: found shape {tuple(pmf.shape)}")
    axes = tuple(range(batch_dims, pmf.ndim))
    total = pmf.sum(dim=axes, keepdim=True)
    if not bool((pmf >= 0).all() & (total > 0).all() & total.isfinite().all()):
        raise ValueError(
            "pmf must hold probabilities: numbers of 0 or more, finite, and not all 0 in any pmf"
        )
    return pmf / total


class _UnionInformation(torch.autograd.Function):
    """Union information of pmfs (n, |Z_1|, ..., |Z_m|, |X|) in nats."""

    @staticmethod
    def forward(ctx: Any, pmfs: Tensor) -> Tensor:
        """Solve, and keep the derivative."""
        p = pmfs.detach().double().cpu()
        # In single precision they sum to 1 to seven digits only.
        p = p / p.sum(dim=tuple(range(1, p.ndim)), keepdim=True)
        batch = union_information_batch(p.numpy(), unit="nats")
        derivative = torch.zeros(pmfs.shape, dtype=torch.float64)
        m = pmfs.ndim - 2
        for j, potential in enumerate(batch.potentials):
            shape = [len(pmfs), *(pmfs.shape[a + 1] if a == j else 1 for a in range(m))]
            derivative = derivative + torch.from_numpy(potential).reshape(*shape, pmfs.shape[-1])
        derivative = torch.where(derivative.isfinite(), derivative, 0.0)
        ctx.save_for_backward(derivative.to(pmfs))
        return torch.from_numpy(batch.value).to(pmfs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        """Multiply by the derivative."""
        (derivative,) = ctx.saved_tensors
        gradient: Tensor = grad_output.reshape(-1, *(1,) * (derivative.ndim - 1)) * derivative
        return gradient
