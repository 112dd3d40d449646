"""How long a run will take, from a few of its steps."""

from __future__ import annotations

import copy
import time

from xhat.engine.compiling import Decision
from xhat.engine.device import pick_device
from xhat.engine.labelled import Order
from xhat.engine.precision import computing, resolved
from xhat.engine.randomness import private_randomness
from xhat.engine.rows import batches
from xhat.engine.step import Step
from xhat.engine.trainee import Trainee
from xhat.runs.plan import Plan

WARM, TIMED = 3, 10


def decisions(plan: Plan) -> str:
    """Say in a line how finely a plan's nets would compute and whether its steps would be compiled, and why.

    Parameters
    ----------
    plan : Plan
        What would be done.
    """
    settings, recipe = plan.settings.resolved(len(plan.split.train)), plan.recipe
    precision = resolved([recipe.model.encoder, recipe.model.decoder], settings.precision, pick_device(settings.device))
    share, size = recipe.objective.labelled_share, settings.batch_size or 1
    order = Order.of(plan.split.train, plan.data.y, share, size, settings.seed, plan.data.blocks)
    trainee = Trainee(recipe.model, recipe.objective, plan.scaling)
    decision = Decision.of(trainee, settings, order.steps, streams=plan.data.streams, world=1)
    bits = {"32": "32 bits", "bf16": "bfloat16", "16": "float16"}[precision]
    asked = f" (--compile {settings.compile})" if settings.compile != "auto" else ""
    return f"nets compute in {bits}; {decision.why}: {'compiled' if decision.many else 'not compiled'}{asked}"


def estimate(plan: Plan) -> float:
    """Give the seconds that all epochs would take; the plan's own model stays as it is.

    Parameters
    ----------
    plan : Plan
        What would be done.
    """
    settings, device = plan.settings.resolved(len(plan.split.train)), pick_device(plan.settings.device)
    size, epochs = settings.batch_size or 1, settings.epochs or 1
    recipe = copy.deepcopy(plan.recipe)
    trainee = Trainee(recipe.model, recipe.objective, copy.deepcopy(plan.scaling)).to(device).train()
    step = Step(trainee, settings, WARM + TIMED)
    start = time.perf_counter()
    with private_randomness(settings.seed), computing(trainee.nets(), settings.precision):
        order = Order.of(
            plan.split.train, plan.data.y, recipe.objective.labelled_share, size, settings.seed, plan.data.blocks
        )
        wanted = size * (WARM + TIMED)
        rows = order.epoch(1)[:wanted].repeat(WARM + TIMED)[:wanted]
        for number, batch in enumerate(batches(plan.data, rows, size)):
            if number == WARM:
                start = time.perf_counter()
            sum(float(mean) for mean in step(batch.to(device)).values())  # reading them waits for the device
    a_step = (time.perf_counter() - start) / TIMED
    # A validation row costs about a third of a training row: it goes forward only.
    return epochs * (len(order) + len(plan.split.validation) / 3) / size * a_step
