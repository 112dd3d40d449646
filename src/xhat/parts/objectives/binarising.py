"""Dynamic binarisation: any objective, on pixels that are drawn on or off anew at every step."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import torch

from xhat.core.batch import Batch
from xhat.core.errors import require
from xhat.core.model import Model
from xhat.core.objective import Objective
from xhat.core.wrapping import Wrapping
from xhat.parts.objectives._spoiling import judged
from xhat.parts.objectives.reconstruction import Reconstruction

WHO = "Binarising"

# Of a scaling's float32.
ROUNDING = 1e-5


class Binarising(Wrapping):
    r"""Wrap `objective`: both the encoder and the likelihood see :math:`b \sim \mathrm{Bernoulli}(x)`.

    .. math:: L = E_{b \sim \mathrm{Bernoulli}(x)}[L_{\mathrm{objective}}(b)]

    Rows must lie in [0, 1]; those that training begins with are looked at. A Bernoulli likelihood is then a
    probability, and its bound a bound of :math:`E_b[\log p(b)]`, which papers report. What changes the encoder's view
    of a row, as objectives/denoising, goes within: it must see what was drawn.

    Parameters
    ----------
    objective : Objective, optional
        What is minimised; the plain reconstruction by default.

    References
    ----------
    Salakhutdinov and Murray, "On the Quantitative Analysis of Deep Belief Networks", ICML 2008. Burda et al.,
    "Importance Weighted Autoencoders", ICLR 2016, section 5.
    """

    def __init__(self, objective: Objective | None = None) -> None:
        super().__init__(Reconstruction() if objective is None else objective)

    def begin(self, model: Model, batch: Batch) -> None:
        """Refuse rows of no gray values; let the wrapped objective begin on drawn ones."""
        x = batch.x[judged(batch)]
        lowest, highest = float(x.min()), float(x.max())
        inside = lowest >= -ROUNDING and highest <= 1 + ROUNDING
        came = f"[{lowest:g}, {highest:g}]"
        require(inside, WHO, "rows must lie in [0, 1]", came, "use --scale unit")
        super().begin(model, batch)

    def changed(self, batch: Batch) -> Batch:
        """Draw every pixel."""
        hint = "put Binarising outside, around the objective that does"
        require(batch.corrupted is None, WHO, "must come before what changes the encoder's view", hint=hint)
        drawn = (torch.rand_like(batch.x) < batch.x).to(batch.x.dtype)  # (B, *X)
        return replace(batch, x=drawn)

    @classmethod
    def example(cls) -> Self:
        """Binarise with the default."""
        return cls()
