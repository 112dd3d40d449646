"""A straight line from one value to another."""

from __future__ import annotations

from typing import Self

from xhat.core.errors import require
from xhat.core.schedule import Schedule


class Linear(Schedule):
    r"""From `start` to `stop` over the first epochs, then `stop`.

    .. math:: c(t) = a + (b - a) \min(1, t / T)

    Parameters
    ----------
    start, stop : float
        a and b.
    epochs : float
        T. Must be > 0.

    References
    ----------
    Bowman et al., "Generating Sentences from a Continuous Space", CoNLL 2016, for a rate's warm-up.
    """

    def __init__(self, start: float, stop: float, epochs: float) -> None:
        super().__init__()
        require(epochs > 0, "schedules/linear", "epochs must be > 0", epochs, "give the value itself for none")
        self.start, self.stop, self.epochs = start, stop, epochs

    def value(self, epoch: float) -> float:
        """Give the coefficient after `epoch` epochs."""
        return self.start + (self.stop - self.start) * min(1.0, epoch / self.epochs)

    @property
    def lowest(self) -> float:
        """The lower end."""
        return min(self.start, self.stop)

    @classmethod
    def example(cls) -> Self:
        """Rise from 0 to 1 in ten epochs."""
        return cls(0.0, 1.0, epochs=10)
