"""The prior: where new codes come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from jaxtyping import Float, Int64
from torch import Tensor

from xhat.core.component import Component
from xhat.core.errors import ConfigError
from xhat.core.shapes import Shape

if TYPE_CHECKING:
    from xhat.core.code import Code
    from xhat.core.posterior import Posterior


class Prior(Component):
    """A distribution p(z) over codes of shape `code_shape`."""

    code_shape: Shape

    continuous: bool = True
    """Whether p(z) is a density on all of the code; where entries are one-hot or of a codebook, it is not."""

    classes: int | None = None
    """How many classes codes can be drawn of; None where the prior knows none."""

    named: bool = True
    """Whether these classes are the data's, in its order; clusters that were found are not."""

    @abstractmethod
    def sample(self, n: int) -> Tensor:
        """Draw `n` codes, of shape (n, *code_shape)."""

    def sample_of(self, y: Int64[Tensor, "n"]) -> Tensor:
        """Draw a code of each of the classes `y`, of shape (n, *code_shape)."""
        raise ConfigError(type(self).__name__, "knows no classes", hint="use priors/classified, or sample without them")

    @abstractmethod
    def log_prob(self, z: Float[Tensor, "N *Z"]) -> Float[Tensor, "N"]:
        """Log-density of codes, in nats."""

    @abstractmethod
    def fit(self, z: Float[Tensor, "N *Z"]) -> None:
        """Learn the distribution of codes, for models whose training did not shape them."""

    def attach(self, encode: Callable[[Tensor], Code]) -> None:
        """Take the model's encoder, for a prior that is made of encoded inputs; called as the model is put together."""

    def begin(self, x: Float[Tensor, "N *X"], z: Float[Tensor, "N *Z"]) -> None:
        """Look at some rows and their codes before the first step, for a prior that starts from them."""

    def kl(self, code: Posterior) -> Float[Tensor, "B"]:
        r"""Estimate KL(q || p) in nats by one draw; a prior with a closed form gives that instead.

        .. math:: E_q[\log q(z) - \log p(z)]
        """
        z = code.rsample()
        return code.log_prob(z) - self.log_prob(z)

    def kl_per_dimension(self, code: Posterior) -> Float[Tensor, "B *Z"]:
        """KL(q || p) in nats of every code dimension, for a prior whose dimensions are independent."""
        raise ConfigError(
            type(self).__name__,
            "knows no KL for each code dimension",
            hint="use free_bits=0, or a standard priors/normal",
        )
