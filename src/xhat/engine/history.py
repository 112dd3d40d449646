"""What happened, epoch by epoch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Epoch:
    """One pass over the data.

    Parameters
    ----------
    epoch : int
        Its number; 0 is the state before training, which has no training terms.
    train, validation : dict of str to float
        Means of the loss's terms.
    score : float
        What chooses the best epoch: the sum of the monitored validation terms.
    lr : float
        The learning rate at its end.
    seconds : float
        Its time, validation included.
    candidate : bool, default=True
        Whether it may be kept as the best; where none may, the last epoch is kept.
    """

    epoch: int
    train: dict[str, float]
    validation: dict[str, float]
    score: float
    lr: float
    seconds: float
    candidate: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Give it in JSON's types."""
        return asdict(self)


@dataclass
class History:
    """All epochs of a run, and which was best.

    Parameters
    ----------
    epochs : list of Epoch
        In order.
    """

    epochs: list[Epoch] = field(default_factory=list)
    _best: Epoch | None = field(default=None, init=False, repr=False, compare=False)
    _looked: int = field(default=0, init=False, repr=False, compare=False)  # how many epochs it is the best of

    @property
    def best(self) -> Epoch:
        """The candidate with the lowest score, or the last epoch where there is none."""
        # Asked after each epoch: a look at all of them would make long runs slow.
        for epoch in self.epochs[self._looked :]:
            if epoch.candidate and (self._best is None or epoch.score < self._best.score):
                self._best = epoch
        self._looked = len(self.epochs)
        return self._best or self.epochs[-1]

    @property
    def seconds(self) -> float:
        """Time of all epochs."""
        return sum(epoch.seconds for epoch in self.epochs)

    def curve(self, part: str, term: str) -> list[tuple[int, float]]:
        """Give (epoch, value) of one term of "train" or "validation"."""
        return [(e.epoch, getattr(e, part)[term]) for e in self.epochs if term in getattr(e, part)]

    def to_list(self) -> list[dict[str, Any]]:
        """Give it in JSON's types."""
        return [epoch.to_dict() for epoch in self.epochs]

    @classmethod
    def from_list(cls, records: list[dict[str, Any]]) -> History:
        """Read what `to_list` gave."""
        return cls([Epoch(**record) for record in records])
