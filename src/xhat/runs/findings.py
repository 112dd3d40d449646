"""What has gone out of a fitted model: what its history shows, and what its codes do."""

from __future__ import annotations

from typing import Any

import torch

from xhat.core.bottleneck import Bottleneck
from xhat.core.gaussian_code import GaussianCode
from xhat.core.objective import Objective
from xhat.core.sparse_code import SparseCode
from xhat.core.wrapping import Wrapping
from xhat.engine.collapse import EPOCHS, Finding, collapses, posterior_collapse
from xhat.models.fitted import Fitted
from xhat.parts.bottlenecks.fsq import FSQ
from xhat.parts.bottlenecks.lfq import LFQ
from xhat.parts.objectives.beta_elbo import BetaELBO
from xhat.runs.plan import Plan

# Shares of a codebook in use, and of a sparse code's dead units, that are worth a word.
USED, DEAD = 0.5, 0.1
# Rows whose units are watched: few rows cannot make every unit fire.
ROWS = 20_000


def findings(summary: dict[str, Any], plan: Plan, fitted: Fitted) -> list[Finding]:
    """List what has gone out.

    Parameters
    ----------
    summary : dict
        As `summarise` measured it, ``active``, ``codebook_use`` and ``dead_units`` included where there are such.
    plan : Plan
        With the objective.
    fitted : Fitted
        The model, with its history.
    """
    history = fitted.history
    # The weights that were kept are those of the best epoch: what went out later is not theirs.
    found = [f for f in collapses(history, plan.recipe.objective) if (f.since or 0) <= history.best.epoch]
    gaussian = issubclass(fitted.model.bottleneck.emits, GaussianCode) and fitted.shapes_prior
    collapsed = any(f.what == "posterior collapse" for f in found)
    if gaussian and not summary["active"] and not collapsed and history.epochs[-1].epoch >= EPOCHS:
        found.append(posterior_collapse(None, _rate(plan, fitted)))
        collapsed = True
    copies = not (collapsed or summary["ancestral"] or summary.get("told_noise") or "dead_units" in summary)
    if copies and summary["active"] < summary["code"]:
        found.append(_idle(summary["code"], summary["code"] - summary["active"], _path_to_bound(plan.recipe.objective)))
    if (used := summary.get("codebook_use", 1.0)) < USED:
        found.append(_dead_codes(used, summary["perplexity"], fitted.model.bottleneck))
    if (dead := summary.get("dead_units", 0.0)) > DEAD:
        found.append(_dead_units(dead, min(ROWS, summary["rows.train"] + summary["rows.validation"])))
    return found


def dead_units(plan: Plan, fitted: Fitted) -> dict[str, float]:
    """Give ``dead_units`` of a sparse code: the share of its units that are zero for every row, of 20,000 at most."""
    if not issubclass(fitted.model.bottleneck.emits, SparseCode):
        return {}
    fires = torch.zeros(fitted.model.code_shape, dtype=torch.bool)
    with torch.inference_mode():
        for batch in fitted.batches(plan.data, torch.cat([plan.split.validation, plan.split.train])[:ROWS]):
            fires |= (fitted.model.encode(batch).z != 0).any(0).cpu()
    return {"dead_units": 1 - float(fires.double().mean())}


def _rate(plan: Plan, fitted: Fitted) -> float:
    with torch.inference_mode():
        rates = [
            fitted.model.encode(b).kl(fitted.model.prior) for b in fitted.batches(plan.data, plan.split.validation)
        ]
    return float(torch.cat(rates).mean())


def _path_to_bound(objective: Objective) -> str | None:
    """Give the path of a bound that presses each code dimension, though it may stand inside another objective."""
    path = "objective"
    while isinstance(objective, Wrapping):
        objective, path = objective.objective, f"{path}.objective"
    return path if isinstance(objective, BetaELBO) else None


def _idle(code: int, idle: int, bound: str | None) -> Finding:
    revive = f" Or bring more of them to life: --set {bound}.beta below 1, or {bound}.free_bits." if bound else ""
    advice = f"{idle} of {code} hardly vary between rows. A smaller --latent gives the same copy.{revive}"
    return Finding("inactive code dimensions", None, idle / code, advice)


def _dead_codes(used: float, perplexity: float, bottleneck: Bottleneck) -> Finding:
    # Some have no entries of their own to move or to leave out: they are all that numbers of few values can be.
    if isinstance(bottleneck, FSQ):
        remedy = "Use fewer bottleneck.levels, or smaller ones."
    elif isinstance(bottleneck, LFQ):
        remedy = "Use a smaller --latent, or raise bottleneck.entropy."
    else:
        remedy = (
            "Use fewer bottleneck.entries, move dead ones with bottleneck.revive, or take the kind fsq, which has no "
            "codebook to collapse."
        )
    advice = (
        f"{100 * used:.0f} % of the codebook's entries are in use, as much as {perplexity:.1f} equally frequent ones. "
        f"{remedy}"
    )
    return Finding("dead codes", None, used, advice)


def _dead_units(dead: float, rows: int) -> Finding:
    advice = (
        f"{100 * dead:.0f} % of the code's units are zero for each of {rows:,} rows. Use a smaller --latent, let more "
        "units speak at once, or revive silent ones with objectives/revival."
    )
    return Finding("dead units", None, dead, advice)
