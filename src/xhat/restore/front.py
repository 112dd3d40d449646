"""Restore: a picture, what happened to it, and the picture before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xhat.restore.operator import Operator
from xhat.restore.plan import make_plan
from xhat.restore.problem import Denoiser
from xhat.restore.solver import Solver, Watch


def restore(
    y: Any,
    operator: Operator | None = None,
    prior: str | Path | Denoiser = "default",
    sigma: float | None = None,
    *,
    solver: str | Solver = "hqs",
    seed: int = 0,
    watch: Watch | None = None,
) -> Any:
    """Find the picture that became y.

    Parameters
    ----------
    y : array of shape (H, W) or (H, W, C), Tensor of shape (C, H, W) or (B, C, H, W), or Pillow image
        What is left of it: bytes, 16-bit numbers, or floats in [0, 1]. Alpha is kept as it is. Tensors may be any
        measurements that the operator gives, of one image or of a batch. Images of a batch are restored one by one,
        each as it would be alone.
    operator : Operator, optional
        What happened: `operators.blur.Blur(kernel)`, `operators.inpaint.Inpaint(mask)`, …; by default noise alone.
    prior : "default", path or callable
        What pictures look like: the prior that ships with xhat, a run folder of the recipe restoration-prior, or any
        denoiser D(x, sigma) of images (B, C, H, W) in [0, 1].
    sigma : float, optional
        The noise's standard deviation in y's own units. None: it is estimated of each image, or found on the way by
        dmsp.
    solver : str or Solver, default="hqs"
        A file of `restore/solvers`, or a solver of your own settings. Noise alone is denoised in one step by "hqs".
    seed : int, default=0
        Of solvers that draw.
    watch : callable, optional
        Called after each iteration with its number, counted on from image to image, and its image in [0, 1].

    Returns
    -------
    of y's own kind
        The picture, of y's type and range: of y's size, or as much larger as the operator shrank it.

    Raises
    ------
    XhatError
        One line that says what is wrong with the picture or the arguments.
    """
    plan = make_plan(y, operator, prior, sigma, solver=solver)
    return plan.came.back(plan.answer(seed, watch))
