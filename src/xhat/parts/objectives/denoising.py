"""Denoising: any objective, with an encoder that sees a spoiled input and must give the clean one."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from xhat.core.batch import Batch
from xhat.core.corruption import Corruption
from xhat.core.errors import require
from xhat.core.objective import Objective
from xhat.core.wrapping import Wrapping
from xhat.parts.corruptions.gaussian_noise import GaussianNoise
from xhat.parts.objectives._spoiling import spoil, taken
from xhat.parts.objectives.reconstruction import Reconstruction


class Denoising(Wrapping):
    r"""Wrap `objective`: encode :math:`\tilde x \sim C(\tilde x | x)`, be judged on x.

    .. math:: L = E_{\tilde x}[L_{\mathrm{objective}}(f(\tilde x), x)]

    Where the corruption hides entries, the batch says which stay ``visible``, for encoders that skip the others.

    Parameters
    ----------
    objective : Objective, optional
        What is minimised; the plain reconstruction by default.
    corruption : Corruption, optional
        C; Gaussian noise by default.
    on : {"all", "hidden"}
        Which entries are judged: all, or those alone that the corruption hid, as a masked autoencoder's are.

    References
    ----------
    Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders", ICML 2008.
    He et al., "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022, for the hidden patches alone.
    """

    def __init__(
        self,
        objective: Objective | None = None,
        corruption: Corruption | None = None,
        *,
        on: str = "all",
    ) -> None:
        super().__init__(Reconstruction() if objective is None else objective)
        self.corruption = GaussianNoise() if corruption is None else corruption
        require(on in ("all", "hidden"), "Denoising", "on must be 'all' or 'hidden'", f"'{on}'", "use 'all' for both")
        require(
            on == "all" or self.corruption.hides,
            "Denoising",
            "on='hidden' needs a corruption that hides entries",
            type(self.corruption).__name__,
            "use corruptions/masking or corruptions/patch_masking",
        )
        self.on = on

    def changed(self, batch: Batch) -> Batch:
        """Spoil what the encoder sees."""
        spoiled = spoil(batch, self.corruption)
        return spoiled if self.on == "all" else replace(spoiled, mask=taken(batch, spoiled, self.corruption))

    @classmethod
    def example(cls) -> Self:
        """Denoise with the defaults."""
        return cls()
