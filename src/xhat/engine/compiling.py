"""Whether a run earns back what compiling its steps costs, and how many of them are one call."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from xhat.core.errors import ConfigError

if TYPE_CHECKING:
    from xhat.engine.settings import TrainSettings
    from xhat.engine.trainee import Trainee

Compile = Literal["auto", "on", "off"]

# Measured on two AVX-512 cores with perceptrons; they only have to be right within a factor of two.
COST = 12.0  # seconds of compiling one step,
COST_OF_MORE = 3.0  # and of each further one in the same program
SAVED = 2.5e-4  # seconds of a step between its products,
SAVED_SHARE = 0.1  # and the share of its products' time
RATE = 4e10  # operations a second
CALL = 3e-5  # seconds of a call
MOST = 8
# Operations of a step whose products take no longer than all else; longer steps gain nothing from sharing a call.
SHORT = 2e7
WORTH = 2.0


@dataclass(frozen=True)
class Estimate:
    """What compiling would bring.

    Parameters
    ----------
    many : int
        Steps a call.
    cost, gain : float
        Seconds.
    tail_cost, tail_gain : float
        Seconds of a second program, for what is left of an epoch after whole calls.
    """

    many: int
    cost: float
    gain: float
    tail_cost: float = 0.0
    tail_gain: float = 0.0

    @classmethod
    def of(cls, weights: int, batch_size: int, steps_per_epoch: int, epochs: int) -> Estimate:
        """Estimate by counting: by a clock, equal runs would decide differently and end in other last digits.

        Parameters
        ----------
        weights : int
            That are learned.
        batch_size : int
            B.
        steps_per_epoch, epochs : int
            Of the run; the last batch of an epoch may be smaller and is stepped as it is.
        """
        work = 6.0 * batch_size * weights  # forward, and twice as much backward; a convolution's is more
        full = max(steps_per_epoch - 1, 1)
        many = 1
        if work < SHORT:
            many = min(range(1, min(MOST, full) + 1), key=lambda m: full // m * CALL + full % m * SAVED)
        called, saved = full // many * many, epochs * (SAVED + SAVED_SHARE * work / RATE)
        left = steps_per_epoch - called
        return cls(many, _cost(many), called * saved, _cost(left), left * saved)

    @property
    def pays(self) -> bool:
        """Whether it is worth it, in spite of what an estimate is."""
        return self.gain > WORTH * self.cost

    @property
    def tail_pays(self) -> bool:
        """Whether the second program is."""
        return self.tail_gain > WORTH * self.tail_cost

    def __str__(self) -> str:
        calls = f", {self.many} a call," if self.many > 1 else ""
        return f"compiling the steps{calls} would take about {self.cost:.0f} s and save {self.gain:.0f} s"


@dataclass(frozen=True)
class Decision:
    """Whether steps are compiled.

    Parameters
    ----------
    many : int
        Steps a call; 0 takes them one by one.
    why : str
        What stands against it, or the estimate.
    tail : bool
        Whether what is left of an epoch after whole calls is compiled, too.
    """

    many: int
    why: str
    tail: bool

    @classmethod
    def of(
        cls, trainee: Trainee, settings: TrainSettings, steps_per_epoch: int, *, streams: bool, world: int
    ) -> Decision:
        """Decide by what was chosen, what is possible, and what compiling costs and brings.

        Parameters
        ----------
        trainee : Trainee
            What is stepped.
        settings : TrainSettings
            Resolved.
        steps_per_epoch : int
            Of the run.
        streams : bool
            Whether rows come from a disk batch by batch, so that a call has one step.
        world : int
            How many processes train together.
        """
        weights = sum(p.numel() for p in trainee.main_parameters())
        estimate = Estimate.of(weights, settings.batch_size or 1, steps_per_epoch, settings.epochs or 1)
        against = ""
        if trainee.critic_parameters() or settings.precision == "16" or world > 1:
            against = "critics, float16 and several processes are stepped as they are"
        elif settings.accumulate > 1 or settings.gradient_checkpointing:
            against = "steps that save memory are taken as they are"
        elif steps_per_epoch <= 1:
            against = "an epoch is one step"
        elif settings.compile == "auto" and estimate.pays and not has_compiler():
            against = f"{estimate}, but there is no C++ compiler"
        wanted = settings.compile == "on" or (settings.compile == "auto" and estimate.pays)
        many = (1 if streams else estimate.many) if wanted and not against else 0
        # Of longer steps the last one of an epoch is not worth it, though it was asked to compile.
        tail = many > 0 and (estimate.tail_pays or (settings.compile == "on" and many > 1))
        return cls(many, against or str(estimate), tail)


def _cost(steps: int) -> float:
    return COST + COST_OF_MORE * (steps - 1)


def checked(name: object) -> str:
    """Give a choice's name, if it is one."""
    if name not in get_args(Compile):
        rule = f"compile must be one of {', '.join(get_args(Compile))}"
        raise ConfigError("fit", rule, f"'{name}'", "auto suits most")
    return str(name)


def has_compiler() -> bool:
    """Whether there is a C++ compiler, which is what torch.compile needs on a processor."""
    return any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++"))
