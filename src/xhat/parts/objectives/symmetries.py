"""Flips and turns: any objective, on images that are shown from each of their eight sides."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Self

import torch
from jaxtyping import Shaped
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.objective import Objective
from xhat.core.wrapping import Wrapping
from xhat.parts.objectives.reconstruction import Reconstruction

SIDES = 8


class Symmetries(Wrapping):
    r"""Wrap `objective`: in training, a batch of images is flipped or turned.

    .. math:: L = \tfrac18 \sum_{g \in D_4} L_{\mathrm{objective}}(g x)

    of which a step draws one g for the whole batch. Images that are no squares keep the four that leave their sides
    in place; rows that are no images, and evaluation, stay as they are.

    Parameters
    ----------
    objective : Objective, optional
        What is minimised; the plain reconstruction by default.
    """

    def __init__(self, objective: Objective | None = None) -> None:
        super().__init__(Reconstruction() if objective is None else objective)

    def changed(self, batch: Batch) -> Batch:
        """Show the batch from one side."""
        if not self.training or batch.x.ndim != 4:
            return batch
        side = int(torch.randint(SIDES, ()))
        if batch.x.shape[-1] != batch.x.shape[-2]:
            side -= side % 2
        images = {f.name: v for f in fields(batch) if (v := getattr(batch, f.name)) is not None and v.ndim == 4}
        return replace(batch, **{name: from_side(x, side) for name, x in images.items()})

    @classmethod
    def example(cls) -> Self:
        """Copy flipped and turned images."""
        return cls()


def from_side(x: Shaped[Tensor, "B C H W"], side: int) -> Tensor:
    """Turn images by `side` quarters, 0 to 3; from 4 on they are mirrored first."""
    x = x.flip(-1) if side >= SIDES // 2 else x
    return torch.rot90(x, side % 4, (-2, -1))


def to_side(x: Shaped[Tensor, "B C H W"], side: int) -> Tensor:
    """Undo `from_side`."""
    x = torch.rot90(x, -(side % 4), (-2, -1))
    return x.flip(-1) if side >= SIDES // 2 else x
