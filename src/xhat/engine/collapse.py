"""The collapse watch: what a history shows to have gone out, though the loss stays finite."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from xhat.core.objective import Objective
from xhat.core.schedule import Schedule
from xhat.core.wrapping import Wrapping
from xhat.engine.history import History

# A rate, of all code dimensions together, that says nothing of a row: healthy ones pass 0.1 nats on their way up.
SILENT = 0.05
# A critic that errs less than this part of what chance would: 2 log 2, where it cannot tell one from the other.
CERTAIN = 0.1
# For so many epochs at the end: what comes back is no collapse.
EPOCHS = 3


@dataclass(frozen=True)
class Finding:
    """Something that went out.

    Parameters
    ----------
    what : str
        Its name, as "posterior collapse".
    since : int or None
        The epoch that it began with; None where it was measured at the end.
    value : float
        What shows it, as the rate in nats.
    advice : str
        What it means, and what to try.
    """

    what: str
    since: int | None
    value: float
    advice: str

    def to_dict(self) -> dict[str, Any]:
        """Give it in JSON's types."""
        return asdict(self)


def collapses(history: History, objective: Objective) -> list[Finding]:
    r"""Tell what has gone out by the last epoch; a function of the history alone, so that a continued run agrees.

    The posterior: the validation term ``rate``, over its weight β, stays below 0.05 nats a row. The game: the critic's
    training terms ``real`` and ``fake``, of which there may be several pairs, add up to less than a tenth of
    :math:`2 \log 2`. A critic at :math:`2 \log 2` is no finding: there the codes are the prior's.

    Parameters
    ----------
    history : History
        What happened so far.
    objective : Objective
        What was minimised; its ``beta``, where it has one, is the weight of its rate.
    """
    found = []
    beta = _rate_weight(objective)
    rate = history.curve("validation", "rate")
    if beta > 0 and (since := _since(rate, beta * SILENT)):
        found.append(posterior_collapse(since, rate[-1][1] / beta))
    for term, real in _pairs(history):
        fake = dict(history.curve("train", term.replace("critic_real", "critic_fake", 1)))
        errors = [(epoch, value + fake.get(epoch, math.inf)) for epoch, value in real]
        if since := _since(errors, CERTAIN * 2 * math.log(2)):
            found.append(Finding("discriminator wins", since, errors[-1][1], _CRITIC))
    return found


def posterior_collapse(since: int | None, rate: float) -> Finding:
    """Say that q(z|x) is the prior."""
    return Finding(
        "posterior collapse",
        since,
        rate,
        f"the codes say next to nothing of their rows ({rate:.2g} nats a row). Lower objective.beta where the kind has "
        "one, or raise it slowly, --set objective.beta='linear(0, 1, epochs=10)', or grant objective.free_bits; a "
        "run that is short may only need more --epochs.",
    )


_CRITIC = (
    "the critic tells codes from the prior's draws nearly always, and what it tells teaches the encoder little. Raise "
    "objective.weight, give the critic fewer units with --set objective.critic.hidden=[32], or lower --lr."
)


def _rate_weight(objective: Objective) -> float:
    while isinstance(objective, Wrapping):
        objective = objective.objective
    beta = getattr(objective, "beta", 1.0)
    return float(beta.value(math.inf) if isinstance(beta, Schedule) else beta)


def _pairs(history: History) -> list[tuple[str, list[tuple[int, float]]]]:
    terms = history.epochs[-1].train if history.epochs else {}
    return [(term, history.curve("train", term)) for term in terms if term.startswith("critic_real")]


def _since(curve: list[tuple[int, float]], limit: float) -> int | None:
    """Give the first of the epochs at the end that all lie below a limit; None where they are too few."""
    since, length = None, 0
    for epoch, value in reversed(curve):
        if epoch == 0 or not value < limit:
            break
        since, length = epoch, length + 1
    return since if length >= EPOCHS else None
