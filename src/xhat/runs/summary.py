"""The end of a fit in numbers: the model beside PCA and beside the mean input, on the same rows."""

from __future__ import annotations

import copy
from typing import Any, cast

import torch

from xhat.core.catalogue import kind_of
from xhat.core.quantised_code import QuantisedCode
from xhat.core.shapes import size
from xhat.core.sparse_code import SparseCode
from xhat.data.dataset import Dataset
from xhat.data.scaling import Scaling
from xhat.metrics.active_units import active_units
from xhat.metrics.codebook_usage import codebook_usage
from xhat.metrics.pca_curve import pca_curve
from xhat.metrics.reconstruction_error import mean_error, reconstruction_error
from xhat.metrics.sparsity import l0
from xhat.models.fitted import Fitted
from xhat.runs.findings import dead_units, findings
from xhat.runs.pca_start import takes_pca
from xhat.runs.plan import COMPONENTS, Plan
from xhat.runs.verdict import SQUARES, STANDARDISED, SYMBOLS, numbers

# As many components as a row has numbers copy it exactly; of longer rows than this they are not looked for.
FULL = 4096
# Rows whose entries are counted.
CODEBOOK_ROWS = 20_000


def summarise(plan: Plan, fitted: Fitted, status: str, net_share: float | None = None) -> dict[str, Any]:
    """Measure a fitted model on its validation rows.

    Parameters
    ----------
    plan : Plan
        With the data.
    fitted : Fitted
        The model, with its history.
    status : str
        How training ended.
    net_share : float, optional
        What `keep_above_pca` chose.

    Returns
    -------
    dict
        ``error.model``, ``error.pca``, ``error.mean``: mean squared error per element in the data's own units, for
        symbols the share of wrong ones, for mixed tables of numbers standardised and categories as zeros and a one;
        ``measure``: which of them; ``code`` and ``active``: code dimensions, and
        those that differ between rows; PCA has as many components as the code has dimensions, and of sparse codes as
        many as ``l0``, a row's numbers that are not zero, on average. ``parameters``; ``epochs`` and ``best_epoch``;
        ``seconds`` of training; ``status``; ``rows.train`` and ``rows.validation``; ``validation.TERM``: the
        objective's terms at the best epoch; ``pca_curve``: [components, error] pairs; ``warnings``. Of codes of a
        codebook also ``codebook_use``, the share of its entries that occur, and ``perplexity``; of sparse ones
        ``dead_units``, the share that is zero for every row; both over validation and training rows, 20,000 at most.
        ``told_noise``: whether it denoises rows whose noise it is told, not compresses them.
        ``ancestral``: whether elements are predicted from those before them; ``objective`` and
        ``likelihood``: their kinds; ``takes_pca``: whether training could have begun at PCA; ``net_share``, where it
        did and errors on validation decided: how much of the nets was kept beside PCA. At 0 the model is PCA of all
        rows, and its error is that of PCA of the training rows. ``findings``: what went out, each with ``what``,
        ``since``, ``value`` and ``advice``.
    """
    data, rows = plan.data, plan.split.validation
    code, history = size(fitted.model.code_shape), fitted.history
    with torch.inference_mode():
        z = torch.cat([fitted.model.encode(batch).z.cpu() for batch in fitted.batches(data, rows)])
    row = size(fitted.model.x_shape)
    counts = {"code": code} | ({"l0": l0(z)} if issubclass(fitted.model.bottleneck.emits, SparseCode) else {})
    if numbers(counts) >= row > FULL:
        equal, curve = row, {0: _mean_error(plan), row: 0.0}
    else:
        rank = min(len(plan.split.train) - 1, len(plan.pca.mean))
        equal = min(numbers(counts), rank)
        components = sorted({0, equal, *(k for k in COMPONENTS if k <= min(2 * code, rank))})
        curve = pca_curve(data, rows, copy.deepcopy(fitted.scaling).cpu(), plan.pca, components)
    active = int(active_units(z, prior_variance=fitted.shapes_prior).sum())
    summary = {
        # PCA of all rows has seen those of validation: what is measured is PCA that has not.
        "error.model": curve[equal] if net_share == 0 else reconstruction_error(fitted, data, rows),
        "error.pca": curve[equal],
        "error.mean": curve[0],
        "measure": _measure(data),
        **counts,
        "active": active,
        **_codebook(plan, fitted),
        "parameters": sum(p.numel() for p in fitted.model.parameters()),
        "epochs": history.epochs[-1].epoch,
        "best_epoch": history.best.epoch,
        "seconds": round(history.seconds, 3),
        "status": status,
        "rows.train": len(plan.split.train),
        "rows.validation": len(rows),
        **{f"validation.{name}": value for name, value in history.best.validation.items()},
        "pca_curve": [list(point) for point in curve.items()],
        "warnings": list(plan.warnings),
        "ancestral": fitted.model.ancestral,
        "told_noise": fitted.model.encoder.reads_noise,
        "objective": fitted.objective.get("kind"),
        "likelihood": kind_of(type(fitted.model.likelihood)),
        "takes_pca": takes_pca(fitted.model),
        **({} if net_share is None else {"net_share": net_share}),
        **dead_units(plan, fitted),
    }
    return summary | {"findings": [finding.to_dict() for finding in findings(summary, plan, fitted)]}


def _measure(data: Dataset) -> str:
    if data.schema.vocabulary is not None:
        return SYMBOLS
    return SQUARES if data.schema.mixed is None else STANDARDISED


def _mean_error(plan: Plan) -> float:
    """Measure the mean training row as a copy of validation rows."""
    mean = Scaling.fit("global", plan.data.some(plan.split.train).resident).centre
    return mean_error(plan.data, plan.split.validation, lambda batch: mean.expand_as(batch.x))


def _codebook(plan: Plan, fitted: Fitted) -> dict[str, float]:
    """Count the entries in use; over training rows as well, since few rows cannot use many entries."""
    if not issubclass(fitted.model.bottleneck.emits, QuantisedCode):
        return {}
    rows = torch.cat([plan.split.validation, plan.split.train])[:CODEBOOK_ROWS]
    with torch.inference_mode():
        codes = [cast(QuantisedCode, fitted.model.encode(batch)) for batch in fitted.batches(plan.data, rows)]
    usage = codebook_usage(torch.cat([code.indices.cpu() for code in codes]), codes[0].entries, codes[0].codebooks)
    return {"codebook_use": usage.share, "perplexity": usage.perplexity}
