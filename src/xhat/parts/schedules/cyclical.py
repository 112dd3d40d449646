"""Several rises from one value to another, each with a rest at its top."""

from __future__ import annotations

from typing import Self

from xhat.core.errors import require
from xhat.core.schedule import Schedule


class Cyclical(Schedule):
    r"""From `start` to `stop` and again from `start`, then `stop` once the last cycle is over.

    .. math:: c(t) = a + (b - a) \min(1, \tau / R), \qquad
              \tau = \frac{t \bmod (T / M)}{T / M} \text{ for } t < T, \quad 1 \text{ else}

    Codes that were found while the coefficient was high are where the next cycle starts from while it is low.

    Parameters
    ----------
    start, stop : float
        a and b.
    epochs : float
        T, of all cycles together. Must be > 0.
    cycles : int, default=4
        M. Must be >= 1.
    rise : float, default=0.5
        R, the share of a cycle in which the coefficient rises. Must lie in (0, 1].

    References
    ----------
    Fu et al., "Cyclical Annealing Schedule: A Simple Approach to Mitigating KL Vanishing", NAACL 2019.
    """

    def __init__(self, start: float, stop: float, epochs: float, *, cycles: int = 4, rise: float = 0.5) -> None:
        super().__init__()
        who = "schedules/cyclical"
        require(epochs > 0, who, "epochs must be > 0", epochs, "give the value itself for none")
        whole = isinstance(cycles, int) and cycles >= 1
        require(whole, who, "cycles must be a whole number >= 1", repr(cycles), "4 is the paper's")
        require(0 < rise <= 1, who, "rise must lie in (0, 1]", rise, "0.5 is the paper's")
        self.start, self.stop, self.epochs, self.cycles, self.rise = start, stop, epochs, cycles, rise

    def value(self, epoch: float) -> float:
        """Give the coefficient after `epoch` epochs."""
        if epoch >= self.epochs:
            return self.stop
        length = self.epochs / self.cycles
        return self.start + (self.stop - self.start) * min(1.0, epoch % length / length / self.rise)

    @property
    def lowest(self) -> float:
        """The lower end."""
        return min(self.start, self.stop)

    @classmethod
    def example(cls) -> Self:
        """Rise four times from 0 to 1 in twenty epochs."""
        return cls(0.0, 1.0, epochs=20)
