"""Half a wave of a cosine from one value to another."""

from __future__ import annotations

import math
from typing import Self

from xhat.core.errors import require
from xhat.core.schedule import Schedule


class Cosine(Schedule):
    r"""From `start` to `stop` over the first epochs, slowly at both ends, then `stop`.

    .. math:: c(t) = b + \tfrac12 (a - b) (1 + \cos(\pi \min(1, t / T)))

    Parameters
    ----------
    start, stop : float
        a and b.
    epochs : float
        T. Must be > 0.

    References
    ----------
    Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017, eq. 5, for the form.
    """

    def __init__(self, start: float, stop: float, epochs: float) -> None:
        super().__init__()
        require(epochs > 0, "schedules/cosine", "epochs must be > 0", epochs, "give the value itself for none")
        self.start, self.stop, self.epochs = start, stop, epochs

    def value(self, epoch: float) -> float:
        """Give the coefficient after `epoch` epochs."""
        wave = 0.5 * (1 + math.cos(math.pi * min(1.0, epoch / self.epochs)))
        return self.stop + (self.start - self.stop) * wave

    @property
    def lowest(self) -> float:
        """The lower end."""
        return min(self.start, self.stop)

    @classmethod
    def example(cls) -> Self:
        """Fall from 4 to 1 in ten epochs."""
        return cls(4.0, 1.0, epochs=10)
