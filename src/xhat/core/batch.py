"""One batch of rows on their way through the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from xhat.core.shapes import spread


@dataclass(frozen=True)
class Batch:
    """Rows of data with what is known about them.

    Parameters
    ----------
    x : Tensor of shape (B, *X)
        The rows, as the likelihood sees them.
    mask : bool Tensor of shape (B, *X) or (B, T), optional
        True where an entry was observed or a time step is valid, and counts in the loss. ``None``: all of them.
    y : Tensor of shape (B, ...), optional
        Labels.
    weight : Tensor of shape (B,), optional
        Weights of rows. ``None``: each counts 1.
    corrupted : Tensor of shape (B, *X), optional
        What the encoder sees in the place of `x`: a denoising objective puts it here, so that any objective
        can be wrapped without knowing it.
    visible : bool Tensor of shape (B, *X) or one that spreads to it, optional
        True where the encoder may look: what a corruption that hides entries has left. ``None``: everywhere.
    noise : Tensor of shape (B,), optional
        The standard deviation of the Gaussian noise in `corrupted`, for encoders that are told it. ``None``: unknown.
    """

    x: Tensor
    mask: Tensor | None = None
    y: Tensor | None = None
    weight: Tensor | None = None
    corrupted: Tensor | None = None
    visible: Tensor | None = None
    noise: Tensor | None = None

    @property
    def input(self) -> Tensor:
        """What the encoder sees, of shape (B, *X)."""
        return self.x if self.corrupted is None else self.corrupted

    @property
    def present(self) -> Tensor | None:
        """True where there is an entry or a step at all, whether it is judged, visible or both; None: everywhere.

        A net that passes over padding reads this and not `mask`, which an objective may narrow to what it judges.
        """
        if self.mask is None or self.visible is None:
            return self.mask
        return spread(self.mask, self.x) | spread(self.visible, self.x)

    @property
    def mass(self) -> float:
        """How many rows it counts as: the sum of their weights, or their number where none are given."""
        return len(self) if self.weight is None else float(self.weight.sum())

    def __len__(self) -> int:
        return len(self.x)

    def to(self, device: torch.device | str) -> Batch:
        """Move every tensor to `device`."""
        return self._each(lambda value: value.to(device))

    def repeated(self, k: int) -> Batch:
        """Stand k times, (k * B, ...): the whole of it again and again, as k draws of a code stand."""
        return self._each(lambda value: value.repeat(k, *(1,) * (value.ndim - 1)))

    def only(self, rows: Tensor) -> Batch:
        """Keep some rows, told by their numbers (M,) or by a bool for each (B,)."""
        return self._each(lambda value: value[rows])

    def span(self, start: int, end: int) -> Batch:
        """Keep the rows from `start` to `end`, as views."""
        return self._each(lambda value: value[start:end])

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        changed = {f.name: change(v) for f in fields(self) if (v := getattr(self, f.name)) is not None}
        return replace(self, **changed)
