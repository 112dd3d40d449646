"""The floor: a fit that began at PCA gives back what is better on validation beyond doubt, or else PCA itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xhat.core.batch import Batch
from xhat.core.code import Code
from xhat.core.shapes import size, spread
from xhat.metrics.principal_components import PrincipalComponents
from xhat.models.fitted import Fitted
from xhat.parts.likelihoods.gaussian import Gaussian
from xhat.parts.nets.pca_path import PCAPathDecoder, PCAPathEncoder
from xhat.parts.objectives.reconstruction import Reconstruction
from xhat.runs.pca_start import start_at_pca
from xhat.runs.plan import Plan

# Shares of the nets' voice that are tried, beside none of it.
SHARES = (1.0, 0.75, 0.5, 0.25)
# The chance of believing in a gain that is none, at any share, if the epoch had not been chosen by the same rows.
DOUBT = 0.025
# A gain of less than this share of PCA's error is rounding.
ROUNDING = 1e-4


def keep_above_pca(plan: Plan, fitted: Fitted) -> float | None:
    r"""Choose between a trained model, PCA and what lies between them, by errors of validation rows.

    .. math::
        f_s = W x + b + s\,f(x), \quad g_s = V z + c + s\,g(z), \qquad
        s^* = \arg\max_s\; \bar d_s - t\,\frac{\mathrm{sd}(d_s)}{\sqrt n}

    with :math:`d_s` the n rows' squared errors of PCA minus those at s, and t the Student quantile that leaves 2.5 % of
    doubt over all four values of s together (Bonferroni). The same rows chose the epoch, so that their mean flatters
    the model: where they are few, or their errors uneven, a gain must be large to be believed, and a softer voice is
    often the surer gain. At s = 0 the bound is 0. Where no other s is above it, the model becomes PCA of all rows,
    those of validation included, which decide nothing more.

    Parameters
    ----------
    plan : Plan
        With the data and the principal components of the training rows.
    fitted : Fitted
        The trained model, changed in place.

    Returns
    -------
    float or None
        s, 0 where the model is now PCA; None where the fit promised nothing, see `promises_pca`.
    """
    if not promises_pca(plan):
        return None
    voice = [weight for net in (fitted.model.encoder, fitted.model.decoder) for weight in _voice(net)]
    # Linear nets are a path themselves, with nothing beside it to soften.
    shares = SHARES if voice else SHARES[:1]
    trained = [weight.detach().clone() for weight in voice]
    code = size(fitted.model.code_shape)
    floor = _errors(plan, lambda batch: plan.pca.copy(batch.x.flatten(1).cpu(), code).view_as(batch.x))
    bounds = {0.0: ROUNDING * float(floor.mean())}
    for share in shares:
        _speak(voice, trained, share)
        bounds[share] = _bound(floor - _errors(plan, fitted.model.reconstruct))
    best = max(bounds, key=lambda share: bounds[share])
    _speak(voice, trained, best)
    if not best:
        rows = torch.cat([plan.split.train, plan.split.validation]).sort().values
        start_at_pca(fitted.model, PrincipalComponents.fit(plan.data, rows, plan.scaling, code))
    return best


def promises_pca(plan: Plan) -> bool:
    """Say whether a fit began at PCA and is judged as PCA is: free codes, and the squared error of whole rows."""
    model, objective = plan.recipe.model, plan.recipe.objective
    squares = isinstance(model.likelihood, Gaussian) and not model.likelihood.learned
    free = model.bottleneck.emits is Code and type(objective) is Reconstruction
    return plan.origin["init"] == "pca" and free and squares


def _bound(gains: Float[Tensor, "N"]) -> float:
    """Give what the mean gain is at least, but for a small chance; of one row that is not known."""
    from scipy.special import stdtrit  # Student's quantile; scipy.stats would take half a second to import

    n = len(gains)
    if n < 2:
        return 0.0
    return float(gains.mean() - stdtrit(n - 1, 1 - DOUBT / len(SHARES)) * gains.std() / n**0.5)


@torch.inference_mode()
def _errors(plan: Plan, reconstruct: Callable[[Batch], Tensor]) -> Float[Tensor, "N"]:
    """Sum each validation row's squared errors under the model's scaling, over what was observed."""
    errors = []
    for part in plan.split.validation.split(1024):
        raw = plan.data.batch(part).to(plan.scaling.centre.device)
        batch = Batch(plan.scaling(raw.x), mask=raw.mask)
        squares = (batch.x.cpu().double() - reconstruct(batch).cpu().double()) ** 2  # (B, *X)
        if batch.mask is not None:
            squares = squares * spread(batch.mask.cpu(), squares)
        errors.append(squares.flatten(1).sum(1))
    return torch.cat(errors)


def _voice(net: nn.Module) -> list[nn.Parameter]:
    """List the weights by which the net beside a path speaks."""
    if not isinstance(net, PCAPathEncoder | PCAPathDecoder):
        return []
    last: nn.Module = cast(Any, net.inner).last
    return list(last.parameters())


@torch.no_grad()
def _speak(voice: list[nn.Parameter], trained: list[Tensor], share: float) -> None:
    for weight, full in zip(voice, trained, strict=True):
        weight.copy_(share * full)
