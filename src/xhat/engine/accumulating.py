"""Which losses can be added up from parts of a batch: those whose terms belong to rows."""

from __future__ import annotations

import torch

from xhat.core.batch import Batch
from xhat.core.errors import ConfigError, require
from xhat.core.loss import Loss
from xhat.engine.trainee import Trainee
from xhat.engine.twin import twin_of


def refuse_whole(loss: Loss, parts: int) -> None:
    """Refuse a loss with a term of the batch as a whole.

    Raises
    ------
    ConfigError
        Which names the term.
    """
    whole = next((name for name, term in loss.terms.items() if term.ndim == 0), None)
    rule = f"the term '{whole}' is of a batch as a whole and cannot be added up from parts"
    hint = "leave accumulate out; gradient_checkpointing saves memory, too"
    require(whole is None, "accumulate", rule, parts, hint, error=ConfigError)


def refuse_what_is_not_of_rows(trainee: Trainee, batch: Batch, parts: int) -> None:
    """Try a raw batch before a run in parts begins, on a copy of the trainee."""
    if parts == 1:
        return
    with twin_of(trainee, batch.x.device) as twin:
        if twin is None:  # the first step will tell
            return
        twin.begin(batch)
        refuse_whole(twin.train()(batch), parts)
        if twin.critic_parameters():
            with torch.enable_grad():
                refuse_whole(twin.critic_loss(twin.ready(batch)), parts)
