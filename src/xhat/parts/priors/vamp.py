"""VampPrior: the mean of the posteriors of some pseudo-inputs, which are learned."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from xhat.core.code import Code
from xhat.core.errors import ConfigError, require
from xhat.core.gaussian_code import GaussianCode
from xhat.core.posterior import Posterior
from xhat.core.prior import Prior
from xhat.core.shapes import Shape, as_shape, size
from xhat.parts.priors._ascent import climb

# Numbers of all pairs of a code and a component that are held at once.
TOGETHER = 2**20


class Vamp(Prior):
    r"""A mixture of what the encoder says of K inputs.

    .. math:: p(z) = \frac1K \sum_{k=1}^K q(z | u_k)

    The best prior for the bound is the mean posterior over all data, :math:`\frac1N \sum_n q(z|x_n)`; this one stands
    in for it with K rows that are learned, and moves as the encoder does. They start as rows of the data. After
    training no data is needed.

    The encoder is the model's: it is borrowed, not held, so it is saved once and a copy of the model borrows its own.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.
    x_shape : tuple of int
        The shape of one row.
    pseudo_inputs : int, default=100
        K.

    References
    ----------
    Tomczak and Welling, "VAE with a VampPrior", AISTATS 2018, eq. 9.
    """

    def __init__(self, code_shape: Shape, x_shape: Shape, pseudo_inputs: int = 100) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "priors/vamp")
        self.x_shape = as_shape(x_shape, "priors/vamp")
        require(pseudo_inputs >= 1, "priors/vamp", "pseudo_inputs must be >= 1", pseudo_inputs, "100 to 1000 are usual")
        self.pseudo_inputs = pseudo_inputs
        self.u = nn.Parameter(torch.randn(pseudo_inputs, *self.x_shape))
        self.encode: Callable[[Tensor], Code] | None = None

    def attach(self, encode: Callable[[Tensor], Code]) -> None:
        """Borrow the model's encoder: a method, which is no submodule, so no weight is listed twice."""
        self.encode = encode

    @torch.no_grad()
    def begin(self, x: Float[Tensor, "N *X"], z: Tensor) -> None:
        """Take rows as the first pseudo-inputs."""
        require(x.is_floating_point(), "priors/vamp", "pseudo-inputs are learned, rows must be numbers", x.dtype)
        rows = torch.nan_to_num(x)  # what was not observed
        order = torch.cat([torch.randperm(len(x)) for _ in range(math.ceil(self.pseudo_inputs / len(x)))])
        chosen = rows[order[: self.pseudo_inputs].to(x.device)]
        # A row that is taken twice would stay twins with itself, gradient by gradient.
        repeated = torch.arange(self.pseudo_inputs, device=x.device) >= len(x)
        noise = 0.01 * rows.std(correction=0) * torch.randn_like(chosen)
        self.u.copy_(chosen + repeated.view(-1, *(1,) * len(self.x_shape)) * noise)

    def sample(self, n: int) -> Tensor:
        """Draw `n` codes, (n, *code_shape): of a pseudo-input each, by its posterior."""
        chosen = torch.randint(self.pseudo_inputs, (n,)).to(self.u.device)
        return self._posterior(self.u[chosen]).rsample()

    def log_prob(self, z: Float[Tensor, "N *Z"]) -> Float[Tensor, "N"]:
        """Log-density in nats."""
        code = self._posterior(self.u)  # K posteriors
        parts = z.split(max(1, TOGETHER // (self.pseudo_inputs * size(self.code_shape))))
        if len(parts) == 1 or not torch.is_grad_enabled():
            return torch.cat([_of_all(part, code) for part in parts])
        # All pairs of a large batch would fill the memory: each part's are made anew on the way back.
        return torch.cat(
            [checkpoint(_of_all, part, code, use_reentrant=False, preserve_rng_state=False) for part in parts]
        )

    def fit(self, z: Float[Tensor, "N *Z"]) -> None:
        """Move the pseudo-inputs to where codes are likely; the encoder stays as it is."""
        climb(self, z)

    def _posterior(self, x: Tensor) -> Posterior:
        if self.encode is None:
            raise ConfigError("priors/vamp", "has no encoder yet", hint="give it to an Autoencoder")
        code = self.encode(x)
        if not isinstance(code, Posterior):
            hint = "use a bottleneck that emits one, such as bottlenecks/gaussian"
            raise ConfigError("priors/vamp", "is made of distributions of codes", type(code).__name__, hint)
        return code

    @classmethod
    def example(cls) -> Self:
        """Take ten rows of six numbers that are codes of three: their means, then their log-variances."""
        prior = cls((3,), (6,), pseudo_inputs=10)
        prior.attach(lambda x: GaussianCode(*x.chunk(2, dim=1)))
        return prior


def _of_all(z: Tensor, code: Posterior) -> Tensor:
    k = len(code)
    pairs = code.log_prob(z.repeat_interleave(k, 0)).view(len(z), k)  # each code, as a draw of every component
    return torch.logsumexp(pairs, 1) - math.log(k)
