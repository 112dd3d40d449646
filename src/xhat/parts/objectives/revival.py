"""Revival: the copy itself, and units of a sparse code that are silent learn what the others miss."""

from __future__ import annotations

import math
from typing import Self, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from xhat.core.batch import Batch
from xhat.core.loss import LEAST, Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.schedule import Coefficient, coefficient
from xhat.core.shapes import spread
from xhat.core.sparse_code import SparseCode
from xhat.parts.likelihoods.gaussian import SMALLEST, Gaussian
from xhat.parts.likelihoods.laplace import Laplace
from xhat.parts.objectives._weighing import row_mean

# Of the first directions, beside a row's own.
NOISE = 0.3


class Revival(Objective):
    r"""Make the reconstruction likely, and give dead units a task.

    .. math:: L = E[-\log p(x|z)] + \alpha\, \frac{D}{2}\,
              \frac{E\|e - \hat e\|^2 - E\|e\|^2}{E\|e\|^2}, \qquad e = x - \hat x, \quad
              \hat e = g(s) - g(0)

    with s what the silent units would have said, D the number of elements, and e held fixed: between linear nets the
    term moves the silent units alone, and deeper ones also in the layers that all units share. It is α times the nats
    that they would save under a Gaussian of the residual's own variance, so α needs no tuning to the data's scale.
    Where none is silent, and in evaluation, it is 0.

    Where encoder and decoder are linear maps, they begin as the paper's: the decoder's bias at the data's mean, its
    columns parallel to the encoder's rows, and of the one length that copies best. Each points from that mean to a
    row of the data, not anywhere: of random directions many hardly occur in data, and their units die.

    Parameters
    ----------
    alpha : float or Schedule, default=1/32
        α. Must be >= 0.

    References
    ----------
    Gao et al., "Scaling and Evaluating Sparse Autoencoders", 2024, section 2.4 and appendix A.
    """

    reads = SparseCode
    shapes_prior = False

    def __init__(self, alpha: Coefficient = 1 / 32) -> None:
        super().__init__()
        self.alpha = coefficient(alpha, "Revival", "alpha", hint="use 0 to leave dead units dead")

    @torch.no_grad()
    def begin(self, model: Model, batch: Batch) -> None:
        """Start linear nets at the mean of some rows, with the decoder parallel to the encoder."""
        inward, outward = _only_layer(model.encoder), _only_layer(model.decoder)
        additive = isinstance(model.likelihood, Gaussian | Laplace)  # whose parameters are the rows' own location
        if inward is None or outward is None or not additive:
            return
        if batch.weight is not None:
            batch = batch.only(batch.weight > 0)
        if not len(batch):
            return
        w = _weights(batch)  # (N, 1)
        count = (w * _judged(batch, torch.ones_like(batch.x))).sum(0)  # (D,)
        mean = (w * _judged(batch, batch.x)).sum(0) / count.clamp(min=LEAST)  # (D,)
        centred = _judged(batch, batch.x - mean.view_as(batch.x[0]))  # (N, D)
        chosen = torch.arange(len(inward.weight), device=mean.device) % len(centred)
        # With some noise, so that units which begin at the same row part.
        noise = NOISE * normalize(torch.randn_like(inward.weight), dim=1)
        directions = normalize(normalize(centred[chosen], dim=1) + noise, dim=1)  # (Z, D)
        inward.weight.copy_(directions)
        inward.bias.copy_(-directions @ mean)
        outward.weight.copy_(directions.T)
        outward.bias.copy_(mean)
        model.bottleneck.begin(model.read(batch))
        copies = _judged(batch, model.decode(model.encode(batch).z, batch).mean - mean.view_as(batch.x[0]))
        factor = (w * centred * copies).sum() / (w * copies**2).sum().clamp(min=1e-12)
        outward.weight.mul_(factor)
        if isinstance(model.likelihood, Gaussian) and model.likelihood.learned:
            # A scale far above the residual's would take a thousand steps down, with hardly a gradient for the rest.
            variance = float((w * (centred - factor * copies) ** 2).sum() / count.sum().clamp(min=LEAST))
            # Below its floor the scale has no gradient and stays there for good.
            model.likelihood.log_scale.fill_(math.log(max(math.sqrt(variance), SMALLEST)))

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, (B,), and the revival, (), of the batch."""
        code = cast(SparseCode, model.encode(batch))  # see `reads`
        data = model.decode(code.rsample(), batch)  # p(x|z)
        return Loss(
            distortion=-data.log_prob(batch.x, batch.mask),  # (B,)
            revival=self.now(self.alpha) * self._saved(model, batch, code, data.mean),  # ()
            **code.terms,
        )

    def _saved(self, model: Model, batch: Batch, code: SparseCode, copy: Tensor) -> Float[Tensor, ""]:
        silent = code.silent
        if silent is None:
            return code.z.new_zeros(())
        whole = model.decoder.reads_batch or model.decoder.reads_labels  # then g(0) is not one for all rows
        nothing = torch.zeros_like(silent if whole else silent[:1])
        answer = model.decode(silent, batch).mean - model.decode(nothing, batch).mean  # (B, *X)  ê
        e = _judged(batch, batch.x - copy).detach()  # (B, D)
        e_hat = _judged(batch, answer)  # (B, D)
        elements = row_mean(_judged(batch, torch.ones_like(batch.x)).sum(1), batch.weight)  # ()  D
        w = _weights(batch)  # (B, 1)
        # ‖e - ê‖² - ‖e‖², by which nothing is lost where ê is small.
        return elements / 2 * (w * e_hat * (e_hat - 2 * e)).sum() / (w * e**2).sum().clamp(min=1e-12)

    @classmethod
    def example(cls) -> Self:
        """Weigh revival as the paper does."""
        return cls()


def _judged(batch: Batch, values: Tensor) -> Float[Tensor, "B D"]:
    """Flatten rows (B, *X), with zero where an entry is hidden."""
    if batch.mask is None:
        return values.flatten(1)
    return torch.where(spread(batch.mask, values), values, 0).flatten(1)


def _weights(batch: Batch) -> Float[Tensor, "B 1"]:
    return (batch.x.new_ones(len(batch)) if batch.weight is None else batch.weight.to(batch.x)).unsqueeze(1)


def _only_layer(net: nn.Module) -> nn.Linear | None:
    """Find the linear map that a net is, if it is one."""
    last = getattr(net, "last", None)
    whole = isinstance(last, nn.Linear) and {id(p) for p in net.parameters()} == {id(p) for p in last.parameters()}
    return last if isinstance(last, nn.Linear) and whole else None
