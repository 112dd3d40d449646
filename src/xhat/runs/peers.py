"""Peers: what else reduces dimensions and copies rows, fitted as well as it lets itself be."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import NMF, KernelPCA
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from xhat.core.batch import Batch
from xhat.metrics.principal_components import PrincipalComponents, as_seen
from xhat.metrics.reconstruction_error import mean_error
from xhat.runs.plan import Plan

# Rows that a peer learns from at most: a kernel's matrix has their square, and NMF's passes take minutes beyond.
KERNEL_ROWS, NMF_ROWS = 2_000, 10_000
# What is tried of Kernel PCA: widths about the usual one, 1 / D of rows of unit variance, and ridges of the way back.
WIDTHS, RIDGES = (0.25, 1.0, 4.0), (1e-3, 1e-1)
PASSES = 500


@dataclass(frozen=True)
class Copied:
    """How a peer did.

    Parameters
    ----------
    error : float
        Of its copies of validation rows.
    rows : int
        How many rows it learned from.
    """

    error: float
    rows: int


def pca(plan: Plan, k: int) -> Copied:
    """Copy by the first k principal components of the scaled training rows; by their mean where k is 0."""
    # Not the plan's own, which are there already: the time of a fit is to be seen.
    found = PrincipalComponents.fit(plan.data, plan.split.train, plan.scaling, max(k, 1))

    def copy(batch: Batch) -> Tensor:
        return plan.scaling.inverse(found.copy(as_seen(batch, plan.data.schema, plan.scaling), k).view_as(batch.x))

    return _measured(plan, copy, len(plan.split.train))


def kernel_pca(plan: Plan, k: int) -> Copied:
    """Copy by Kernel PCA with Gaussian kernels, the way back by kernel ridge regression.

    Width and ridge are those that copy the validation rows best, as the model's epoch is.

    References
    ----------
    Schölkopf, Smola and Müller 1998; Bakır, Weston and Schölkopf, "Learning to Find Pre-Images", NeurIPS 2003.
    """
    rows = _some(plan.split.train, KERNEL_ROWS)
    x = _scaled(plan, rows)
    tried = []
    for width, ridge in itertools.product(WIDTHS, RIDGES):
        method = KernelPCA(
            k,
            kernel="rbf",
            gamma=width / x.shape[1],
            alpha=ridge,
            fit_inverse_transform=True,
            eigen_solver="randomized",
            random_state=0,
        ).fit(x)

        def copy(batch: Batch, method: KernelPCA = method) -> Tensor:
            seen = as_seen(batch, plan.data.schema, plan.scaling).double().numpy()
            copies = torch.from_numpy(method.inverse_transform(method.transform(seen)))
            return plan.scaling.inverse(copies.float().view_as(batch.x))

        tried.append(_measured(plan, copy, len(rows)))
    return min(tried, key=lambda copied: copied.error)


def nmf(plan: Plan, k: int) -> Copied:
    """Copy by k parts without a negative number, as the rows are.

    References
    ----------
    Lee and Seung, "Learning the Parts of Objects by Non-negative Matrix Factorization", Nature 1999.
    """
    rows = _some(plan.split.train, NMF_ROWS)
    method = NMF(k, init="nndsvda", max_iter=PASSES, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # what it reached is measured
        method.fit(plan.data.batch(rows).x.flatten(1).double().numpy())

        def copy(batch: Batch) -> Tensor:
            parts = method.transform(batch.x.flatten(1).double().numpy())
            return torch.from_numpy(method.inverse_transform(parts)).view_as(batch.x)

        return _measured(plan, copy, len(rows))


PEERS: dict[str, Callable[[Plan, int], Copied]] = {"PCA": pca, "Kernel PCA": kernel_pca, "NMF": nmf}


def lacking(plan: Plan) -> dict[str, str]:
    """Say which peers cannot take a plan's data, and why."""
    schema = plan.data.schema
    if schema.missing or schema.padded:
        why = "does not take rows with gaps"
        return {"Kernel PCA": why, "NMF": why}
    return {} if schema.low >= 0 else {"NMF": f"needs values >= 0, and the least is {schema.low:.3g}"}


def _measured(plan: Plan, copy: Callable[[Batch], Tensor], rows: int) -> Copied:
    return Copied(mean_error(plan.data, plan.split.validation, copy, plan.scaling), rows)


def _some(rows: Tensor, most: int) -> Tensor:
    """Take evenly what is too much."""
    return rows if len(rows) <= most else rows[torch.linspace(0, len(rows) - 1, most).long()]


def _scaled(plan: Plan, rows: Tensor) -> NDArray[np.float64]:
    seen: NDArray[np.float64] = as_seen(plan.data.batch(rows), plan.data.schema, plan.scaling).double().numpy()
    return seen
