"""Variational deep embedding: a plain autoencoder first, then clusters of its codes, then the bound with them."""

from __future__ import annotations

from typing import Self, cast

import torch
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.posterior import Posterior
from xhat.core.schedule import Coefficient, coefficient
from xhat.core.shapes import Shape, as_shape, size
from xhat.parts.priors.mixture import Mixture

# What a number of the code counts, in nats, while there are no clusters, and what a number of the row counts at the
# start and less from step to step. It is more than either will with clusters, so that no state of the plain autoencoder
# is ever taken for the best one; and it falls by more than a copy can worsen, so that none of them ends the run.
WITHOUT_CLUSTERS = 50.0


class VaDE(Objective):
    r"""Bound the evidence with a mixture prior that first looks at the codes of a plain autoencoder.

    .. math:: L = E_{q(z|x)}[-\log p(x|z)] + \beta\, \mathrm{KL}(q(z|x) \| p(z)), \qquad
              p(z) = \sum_c \pi_c\, N(z; m_c, S_c)

    but with β = 0 for the first share T of the run. The bound with the clusters' posterior q(c|x) is this one: where it
    is p(c|z), the sum over clusters falls together.

    From the first step on the bound would pull all codes to one place, before there is anything to part; the codes of
    a plain autoencoder lie in clusters already. Plain here is β = 0: the code's own noise fades against the codes'
    spread, so that posteriors have learned their width when clusters first weigh them. After T the prior begins from
    the last `kept` codes, kept as they came. Until then the rate is a number that only falls, so that a run without
    clusters neither stops early nor has its best epoch; they begin with the last epoch at the latest.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.
    beta : float or Schedule, default=1.0
        β. Must be >= 0.
    pretrain : float, default=0.5
        T, a share of the run, from 0 to less than 1.
    kept : int, default=2048
        Codes that the prior begins from, at most.

    References
    ----------
    Jiang et al., "Variational Deep Embedding: An Unsupervised and Generative Approach to Clustering", IJCAI 2017,
    eq. 9 and section 4.
    """

    reads = Posterior

    codes: Tensor
    count: Tensor
    found: Tensor

    def __init__(self, code_shape: Shape, beta: Coefficient = 1.0, *, pretrain: float = 0.5, kept: int = 2048) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "VaDE")
        self.beta = coefficient(beta, "VaDE", "beta", hint="1 is the bound itself")
        hint = "a half suits most data; 0 begins from untrained codes"
        require(0 <= pretrain < 1, "VaDE", "pretrain must be >= 0 and < 1, a share of the run", pretrain, hint)
        require(kept >= 1, "VaDE", "kept must be >= 1", kept, "2048 suits tens of clusters")
        self.pretrain, self.kept = pretrain, kept
        # In the state, so that a run that is continued finds the clusters that it would have found.
        self.register_buffer("codes", torch.zeros(kept, size(self.code_shape)))  # a ring
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("found", torch.zeros((), dtype=torch.bool))

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the distortion, (B,), and the rate, (B,), which moves nothing before there are clusters."""
        code = cast(Posterior, model.encode(batch))  # q(z|x); see `reads`
        z = code.rsample()
        if self.training and torch.is_grad_enabled() and not self.found:
            self._look(model, batch, z)
        data = model.decode(z, batch)
        distortion = -data.log_prob(batch.x, batch.mask)  # (B,)
        if self.found:
            rate = self.now(self.beta) * code.kl(model.prior)
        else:
            left = max(1 - self.epoch / self.epochs, 0)
            numbers = size(self.code_shape) + left * batch.x[0].numel()
            rate = torch.full_like(distortion, WITHOUT_CLUSTERS * numbers)
        return Loss(distortion=distortion, rate=rate, **code.terms)

    @torch.no_grad()
    def _look(self, model: Model, batch: Batch, z: Tensor) -> None:
        """Keep codes while there is time; then let the prior begin from them."""
        last = self.epochs - 1 if self.epochs > 1 else self.epochs
        early = self.epoch < min(self.pretrain * self.epochs, last)
        if early or not self.count:
            places = (self.count + torch.arange(len(z), device=z.device))[-self.kept :] % self.kept
            self.codes[places] = z.detach().flatten(1)[-self.kept :]
            self.count += len(z)
        if not early:
            codes = self.codes[: int(self.count)].view(-1, *self.code_shape)
            if isinstance(model.prior, Mixture):
                model.prior.start(codes)
            else:
                model.prior.begin(batch.x, codes)
            self.found.fill_(True)

    @classmethod
    def example(cls) -> Self:
        """Begin with the clusters at once."""
        return cls((3,), pretrain=0.0, kept=64)
