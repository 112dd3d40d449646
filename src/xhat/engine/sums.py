"""Sums of an epoch's terms, kept on the device and read only when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor

from xhat.core.loss import LEAST


class Sums:
    r"""Means of terms over all rows so far.

    .. math:: \bar t = \frac{\sum_b w_b\, t_b}{\sum_b w_b}

    with :math:`w_b` a batch's mass and :math:`t_b` a term's mean over it.
    """

    def __init__(self) -> None:
        self.mass = 0.0
        self._names: tuple[str, ...] = ()
        self._sums: Tensor | None = None  # (T,)

    def add(self, means: Mapping[str, Tensor], mass: float) -> None:
        """Take a batch's means, each ()."""
        if tuple(means) != self._names:  # the first, or a term that is there only at times
            zero = next(iter(means.values())).new_zeros(())
            before, self._names = self.state(), tuple({**dict.fromkeys(self._names), **dict.fromkeys(means)})
            self._sums = torch.stack([before.get(name, zero) for name in self._names])
            means = {name: means.get(name, zero) for name in self._names}
        # Two operations for all terms together: a small net's own are not many more.
        terms = list(means.values())
        self._sums = cast(Tensor, self._sums).add_(torch.stack(terms) if len(terms) > 1 else terms[0], alpha=mass)
        self.mass += mass

    def means(self) -> dict[str, float]:
        """Read them, which waits for the device."""
        if self._sums is None:
            return {}
        return dict(zip(self._names, (self._sums / max(self.mass, LEAST)).tolist(), strict=True))

    def state(self) -> dict[str, Tensor]:
        """Give the sums by their names."""
        return {} if self._sums is None else dict(zip(self._names, self._sums.clone(), strict=True))

    def restore(self, state: Mapping[str, Tensor], mass: float) -> None:
        """Continue from a `state`."""
        self.mass, self._names = mass, tuple(state)
        self._sums = torch.stack(list(state.values())) if state else None
