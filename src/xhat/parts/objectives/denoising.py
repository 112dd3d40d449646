"""Denoising: any objective, with an encoder that sees a spoiled input and must give the clean one."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from torch import nn

from xhat.core.batch import Batch
from xhat.core.corruption import Corruption
from xhat.core.loss import Loss
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.parts.corruptions.gaussian_noise import GaussianNoise
from xhat.parts.objectives.reconstruction import Reconstruction


class Denoising(Objective):
    r"""Wrap `objective`: encode :math:`\tilde x \sim C(\tilde x | x)`, be judged on x.

    .. math:: L = E_{\tilde x}[L_{\mathrm{objective}}(f(\tilde x), x)]

    Parameters
    ----------
    objective : Objective, optional
        What is minimised; the plain reconstruction by default.
    corruption : Corruption, optional
        C; Gaussian noise by default.

    References
    ----------
    Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders", ICML 2008.
    """

    def __init__(self, objective: Objective | None = None, corruption: Corruption | None = None) -> None:
        super().__init__()
        self.objective = Reconstruction() if objective is None else objective
        self.corruption = GaussianNoise() if corruption is None else corruption
        self.reads = self.objective.reads
        self.shapes_prior = self.objective.shapes_prior
        self.monitor = self.objective.monitor

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Give the wrapped objective's terms on a spoiled batch."""
        self.objective.epoch = self.epoch
        loss: Loss = self.objective(model, self._spoil(batch))
        return loss

    def critic_parameters(self) -> list[nn.Parameter]:
        """List the wrapped objective's critic."""
        return self.objective.critic_parameters()

    def critic_loss(self, model: Model, batch: Batch) -> Loss:
        """Give the wrapped critic's loss on a spoiled batch."""
        return self.objective.critic_loss(model, self._spoil(batch))

    def _spoil(self, batch: Batch) -> Batch:
        return replace(batch, corrupted=self.corruption(batch.input))

    @classmethod
    def example(cls) -> Self:
        """Denoise with the defaults."""
        return cls()
