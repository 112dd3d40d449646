"""A mixture of Gaussians, learned with the model or fitted to its codes."""

from __future__ import annotations

import math
import warnings
from typing import Self

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from xhat.core.errors import ConfigError, require
from xhat.core.prior import Prior
from xhat.core.shapes import Shape, as_shape, size

# Rows that each cluster must have on average, for each dimension; with fewer, `fit` leaves covariances diagonal.
ROWS_A_DIMENSION = 10


class Mixture(Prior):
    r"""Clusters of codes.

    .. math:: p(z) = \sum_{c=1}^K \pi_c\, N(z;\, m_c, S_c), \qquad
              p(c|z) = \frac{\pi_c\, N(z;\, m_c, S_c)}{p(z)}

    π, m and the diagonal of S are learned with the model. A bound with an explicit q(c|x) is tight where
    q(c|x) = p(c|z), and is then the bound with this p(z): the sum over clusters is exact, nothing is drawn.

    Parameters
    ----------
    code_shape : tuple of int
        The shape of one code.
    components : int, default=10
        K.
    full : bool, default=False
        Whether S is full: so `fit` leaves it, where there are rows enough. Kept here so that a saved model knows its
        form.

    References
    ----------
    Jiang et al., "Variational Deep Embedding", IJCAI 2017, eq. 16, for p(c|z). Ghosh et al., "From Variational to
    Deterministic Autoencoders", ICLR 2020, section 4, for the fit afterwards.
    """

    named = False

    classes: int
    factor: Tensor | None

    def __init__(self, code_shape: Shape, components: int = 10, *, full: bool = False) -> None:
        super().__init__()
        self.code_shape = as_shape(code_shape, "priors/mixture")
        require(components >= 1, "priors/mixture", "components must be >= 1", components, "use priors/normal for one")
        self.components, self.full = components, full
        self.classes = components  # a cluster can be drawn from as a class is
        d = size(self.code_shape)
        self.logits = nn.Parameter(torch.zeros(components))  # log π, up to a constant
        self.means = nn.Parameter(torch.randn(components, d))  # m, apart from each other so that they can part
        self.log_scales = None if full else nn.Parameter(torch.zeros(components, d))  # log √S
        self.register_buffer("factor", torch.eye(d).repeat(components, 1, 1) if full else None)  # S = L Lᵀ

    @property
    def shares(self) -> Float[Tensor, "K"]:
        """π."""
        return torch.softmax(self.logits, 0)

    def sample(self, n: int) -> Tensor:
        """Draw `n` codes, (n, *code_shape)."""
        return self.sample_of(torch.multinomial(self.shares.detach(), n, replacement=True))

    def sample_of(self, y: Int64[Tensor, "n"]) -> Tensor:
        """Draw a code of each given cluster, (n, *code_shape)."""
        noise = torch.randn_like(self.means[y])  # (n, d)
        if self.factor is not None:
            spread = torch.einsum("nij,nj->ni", self.factor[y], noise)
        else:
            spread = self._scales[y] * noise
        return (self.means[y] + spread).view(len(y), *self.code_shape)

    def log_prob(self, z: Float[Tensor, "N *Z"]) -> Float[Tensor, "N"]:
        """Log-density in nats."""
        return torch.logsumexp(self.log_joint(z), 1)

    def responsibilities(self, z: Float[Tensor, "N *Z"]) -> Float[Tensor, "N K"]:
        """p(c|z): how likely each code is of each cluster."""
        return torch.softmax(self.log_joint(z), 1)

    @property
    def _scales(self) -> Tensor:
        return torch.ones_like(self.means) if self.log_scales is None else self.log_scales.exp()

    def log_joint(self, z: Float[Tensor, "N *Z"]) -> Float[Tensor, "N K"]:
        r"""Give :math:`\log \pi_c N(z; m_c, S_c)` in nats."""
        away = z.flatten(1).unsqueeze(1) - self.means  # (N, K, d)
        if self.factor is not None:
            whitened = torch.linalg.solve_triangular(self.factor, away.permute(1, 2, 0), upper=False)  # (K, d, N)
            squares, log_det = (whitened**2).sum(1).T, self.factor.diagonal(dim1=1, dim2=2).log().sum(1)
        else:
            squares, log_det = ((away / self._scales) ** 2).sum(2), self._scales.log().sum(1)
        d = away.shape[2]
        return torch.log_softmax(self.logits, 0) - 0.5 * (squares + d * math.log(2 * math.pi)) - log_det

    def begin(self, x: Tensor, z: Float[Tensor, "N *Z"]) -> None:
        """Start from the clusters of the first codes."""
        # No narrower than a posterior that has learned nothing: a narrow cluster would squeeze it at once.
        self.start(z, narrowest=1.0)

    @torch.no_grad()
    def start(self, z: Float[Tensor, "N *Z"], *, narrowest: float = 0.0) -> None:
        """Move what is learned, in place, to the clusters of codes.

        Parameters
        ----------
        z : Tensor of shape (N, *Z)
            Codes.
        narrowest : float, default=0
            The least standard deviation of a cluster.
        """
        if self.log_scales is None:
            raise ConfigError("priors/mixture", "a full covariance is not learned with a model", hint="use full=False")
        shares, means, covariances = self._found(z, "diag")
        self.logits.copy_(shares.log())
        self.means.copy_(means)
        self.log_scales.copy_(covariances.sqrt().clamp(min=max(narrowest, 1e-6)).log())

    @torch.no_grad()
    def fit(self, z: Float[Tensor, "N *Z"]) -> None:
        """Find the most likely mixture of codes, with full covariances where there are rows enough for them."""
        d = size(self.code_shape)
        self.full = len(z) >= ROWS_A_DIMENSION * self.components * d
        shares, means, covariances = self._found(z, "full" if self.full else "diag")
        self.logits.copy_(shares.log())
        self.means.copy_(means)
        self.log_scales = None if self.full else nn.Parameter(covariances.sqrt().log().to(self.means))
        self.factor = torch.linalg.cholesky(covariances).to(self.means).contiguous() if self.full else None

    def _found(self, z: Tensor, form: str) -> tuple[Tensor, Tensor, Tensor]:
        """Fit by expectation and maximisation: π (K,), m (K, d) and S, (K, d) or (K, d, d), in double."""
        # Here alone: their import takes a second.
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        flat = z.detach().flatten(1).cpu().double()  # (N, d)
        # In units of the codes' spread, so that the ridge on S means the same for codes of any size.
        spread = float(flat.std(0, correction=0).square().mean().sqrt().clamp(min=1e-6))
        centre = flat.mean(0)
        rows = (flat - centre) / spread
        rows = rows.repeat(math.ceil(2 * self.components / len(rows)), 1)  # a cluster must have a row
        mixture = GaussianMixture(
            self.components,
            covariance_type=form,
            n_init=3,
            # Drawn from torch's generator: a run repeats.
            random_state=int(torch.randint(2**31 - 1, ())),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # as near as it came will do
            mixture.fit(rows.numpy())
        shares, means, covariances = (
            torch.from_numpy(found) for found in (mixture.weights_, mixture.means_, mixture.covariances_)
        )
        return shares.clamp(min=1e-8), means * spread + centre, covariances * spread**2

    @classmethod
    def example(cls) -> Self:
        """Make two clusters of three numbers."""
        return cls((3,), 2)
