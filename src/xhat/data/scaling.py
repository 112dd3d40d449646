"""Scaling: how raw data becomes what the nets see, and back; stored with the model."""

from __future__ import annotations

from typing import Literal, Self, get_args

import torch
from torch import Tensor

from xhat.core.component import Component
from xhat.core.errors import ConfigError, require
from xhat.core.shapes import Shape

How = Literal["none", "unit", "global", "standard", "range"]

# Scalings that know each element by itself.
OWN = ("standard", "range")

# Types whose numbers 32-bit floats would round: rows of them are scaled in double precision.
FINE = (torch.float64, torch.int64, torch.uint64, torch.int32, torch.uint32)

# A range that is so small a share of its values leaves 32-bit floats fewer than two hundred steps.
FLAT = 1e-5

# Rows a block, so that statistics of memory-mapped data stay in little memory.
BLOCK = 4096


class Scaling(Component):
    r"""An affine map, :math:`(x - c) / s`, with NaN set to 0 on the way in.

    Parameters
    ----------
    how : {"none", "unit", "global", "standard", "range"}
        none: c = 0, s = 1. unit: lowest value to 0, highest to 1. global: c is each element's mean, s one standard
        deviation for all, so that squared errors keep their proportions. standard: mean and standard deviation
        of each element. range: as standard, by each element's range, times one number by which their variance is 1 on
        average over elements that vary; a value that is rarely other than 0 then does not outweigh the rest.
    shape : tuple of int, default=()
        The shape of one row.
    fine : bool, default=False
        Whether rows are of a type that 32-bit floats would round, as seconds since 1970 are. c is then kept and taken
        away in float64, and `inverse` gives float64 back; what nets see has the model's precision all the same, which
        is that of s.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, how: How = "none", shape: Shape = (), *, fine: bool = False) -> None:
        super().__init__()
        require(how in get_args(How), "Scaling", f"how must be one of {', '.join(get_args(How))}", how)
        self.how, self.shape, self.fine = how, tuple(shape), fine
        centre = torch.zeros(self.shape if how in ("global", *OWN) else (), dtype=torch.float64 if fine else None)
        self.register_buffer("centre", centre)
        self.register_buffer("spread", torch.ones(self.shape if how in OWN else ()))

    @classmethod
    def fit(
        cls, how: How, x: Tensor, low: float | None = None, high: float | None = None, *, kept: Tensor | None = None
    ) -> Self:
        """Choose c and s from rows x (N, *X); NaN are passed over.

        Parameters
        ----------
        how : str
            See the class.
        x : Tensor of shape (N, *X)
            Rows to learn from: those that training sees.
        low, high : float, optional
            The value range for "unit", where it is known: 0 and 255 for bytes. Else the rows' own.
        kept : bool Tensor of shape (*X), optional
            Elements that "standard" leaves as they are: those that stand for categories.

        Raises
        ------
        ConfigError
            When "unit" has no range, or 32-bit floats cannot hold s.
        """
        # Where nothing is taken away, the way back has no more digits than what nets give.
        scaling = cls(how, tuple(x.shape[1:]), fine=x.dtype in FINE and how != "none")
        if how == "unit":
            if low is None or high is None:
                lowest, highest = _extremes(x)
                low, high = lowest if low is None else low, highest if high is None else high
            if not high > low:
                raise ConfigError("Scaling", "data of one value has no unit range", low, "use --scale none")
            scaling.centre.fill_(low)
            scaling.spread.fill_(high - low)
        elif how != "none":
            mean, variance, count = _moments(x)
            if (still := variance == 0).any():
                # To its own value, not to the rounded mean of many of them: it is 0 then.
                only, _ = _ends(x)
                mean = torch.where(still & only.isfinite(), only, mean)
            scaling.centre.copy_(mean)
            # Each known value counts once: an element that few rows have, as the end of a padded series, says little.
            whole = (variance * count).sum() / count.sum().clamp(min=1)
            # A constant element has no spread: left as it is, it stays 0 after centring.
            std = variance.sqrt() if how == "standard" else whole.sqrt()
            if how == "range":
                low_ends, high_ends = _ends(x)
                wide = torch.where(variance > 0, high_ends - low_ends, torch.inf)  # (*X)
                varying = torch.where(variance > 0, count, 0.0)
                std = wide * (((variance / wide**2) * count).sum() / varying.sum().clamp(min=1)).sqrt()
                std = torch.where(wide.isinf(), 0.0, std)
            scaling.spread.copy_(torch.where(std > 0, std, 1.0))
            if kept is not None:
                scaling.centre[kept], scaling.spread[kept] = 0.0, 1.0
        hint = "multiply the data until they can, or divide it"
        held = bool((scaling.spread.isfinite() & (scaling.spread > 0)).all())
        require(held, "Scaling", "32-bit floats must hold how far values lie apart", hint=hint)
        return scaling

    def forward(self, x: Tensor) -> Tensor:
        """Scale raw rows (B, *X) of any dtype; NaN become 0."""
        # In double before the centre is gone, not after: of 1.7e9 s a 32-bit float keeps steps of 128 s.
        full = torch.float64 if self.fine or x.dtype in FINE else self.spread.dtype
        scaled = ((x.to(full) - self.centre.to(full)) / self.spread.to(full)).to(self.spread.dtype)
        # Only NaN differs from itself. Written so, compiled code is vectors; of nan_to_num it is not.
        return scaled.masked_fill(scaled.ne(scaled), 0.0) if x.is_floating_point() else scaled

    def inverse(self, x: Tensor) -> Tensor:
        """Bring rows (B, *X) back to the data's own units; in float64 where the data's type was `fine`."""
        return x.to(self.centre.dtype) * self.spread + self.centre

    @classmethod
    def example(cls) -> Self:
        """Scale rows of six numbers."""
        return cls("standard", (6,))


def flattened(x: Tensor) -> bool:
    """Tell whether 32-bit floats of rows (N, *X) as they are would lose how some element differs."""
    if x.dtype not in FINE:
        return False
    low, high = _ends(x)
    return bool(((high > low) & (high - low < FLAT * torch.maximum(low.abs(), high.abs()))).any())


def _extremes(x: Tensor) -> tuple[float, float]:
    """Lowest and highest known value."""
    known = [block[~block.isnan()].double() for block in x.split(BLOCK)]
    known = [block for block in known if len(block)]
    require(bool(known), "Scaling", "data without one known value has no range", hint="give rows that are not all NaN")
    return min(float(block.min()) for block in known), max(float(block.max()) for block in known)


def _ends(x: Tensor) -> tuple[Tensor, Tensor]:
    """Lowest and highest known value of every element in float64, each (*X); inf and -inf where none is known."""
    low = torch.full(x.shape[1:], torch.inf, dtype=torch.float64)
    high = -low
    for block in x.split(BLOCK):
        known = block.double()
        low = torch.minimum(low, torch.where(known.isnan(), torch.inf, known).amin(0))
        high = torch.maximum(high, torch.where(known.isnan(), -torch.inf, known).amax(0))
    return low, high


def _moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, variance and number of known values of every element in float64, each (*X)."""
    count = torch.zeros(x.shape[1:], dtype=torch.float64)
    total = torch.zeros_like(count)
    for block in x.split(BLOCK):
        gaps = block.isnan()
        count += len(block) - gaps.sum(0) if gaps.any() else len(block)
        total += block.nansum(0, dtype=torch.float64)
    mean = total / count.clamp(min=1)
    squares = torch.zeros_like(total)
    # A second pass: the difference of large squares would lose the variance of far-off data.
    for block in x.split(BLOCK):
        squares += (block.double() - mean).square_().nansum(0)
    variance = squares / count.clamp(min=1)
    # The mean of a constant element is rounded: its spread comes out as some 1e-17 of it, where 0 is meant.
    return mean, torch.where(variance.sqrt() > 1e-12 * mean.abs(), variance, 0.0), count
