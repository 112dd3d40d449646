"""Restore: a picture, what happened to it, and the picture before."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import torch

from xhat.core.catalogue import suggest
from xhat.core.errors import ConfigError, require
from xhat.engine.randomness import private_randomness
from xhat.restore import picture as pictures
from xhat.restore import solvers
from xhat.restore.operator import Operator
from xhat.restore.operators.blur import Blur
from xhat.restore.operators.denoise import Denoise
from xhat.restore.prior import Prior
from xhat.restore.problem import Denoiser, Problem
from xhat.restore.solver import Solver, Watch
from xhat.restore.solvers.dmsp import DMSP
from xhat.restore.solvers.hqs import HQS

WHO = "restore"
# What leaves out much of an image needs more steps than what only blurs it.
FEW, MANY = 8, 24


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
        measurements that the operator gives.
    operator : Operator, optional
        What happened: `operators.blur.Blur(kernel)`, `operators.inpaint.Inpaint(mask)`, …; by default noise alone.
    prior : "default", path or callable
        What pictures look like: the prior that ships with xhat, a run folder of the recipe restoration-prior, or any
        denoiser D(x, sigma) of images (B, C, H, W) in [0, 1].
    sigma : float, optional
        The noise's standard deviation in y's own units. None: it is estimated, or found on the way by dmsp.
    solver : str or Solver, default="hqs"
        A file of `restore/solvers`, or a solver of your own settings. Noise alone is denoised in one step by hqs.
    seed : int, default=0
        Of solvers that draw.
    watch : callable, optional
        Called after each iteration with its number and its images in [0, 1].

    Returns
    -------
    of y's own kind
        The picture, of y's type and range: of y's size, or as much larger as the operator shrank it.

    Raises
    ------
    XhatError
        One line that says what is wrong with the picture or the arguments.
    """
    require(sigma is None or sigma >= 0, WHO, "sigma must be >= 0", sigma, "leave it out to have it estimated")
    operator = Denoise() if operator is None else operator
    came = pictures.read(y)
    chosen = solver if isinstance(solver, Solver) else _solver(solver, operator)
    denoise = Prior.load(prior) if isinstance(prior, str | Path) else prior
    noise = None if sigma is None else sigma / came.unit
    if noise is None and not isinstance(chosen, DMSP):
        noise = operator.noise(came.x)
    with private_randomness(seed), torch.no_grad():
        if isinstance(operator, Denoise) and isinstance(chosen, HQS):
            x = denoise(came.x, float(noise or 0.0))
        else:
            x = operator.covered(chosen.solve(Problem(came.x, operator, denoise, noise), watch=watch))
    return came.back(x)


def solver_names() -> list[str]:
    """List the solvers."""
    return sorted(module.name for module in pkgutil.iter_modules(solvers.__path__) if module.name[0] != "_")


def _solver(name: str, operator: Operator) -> Solver:
    if name not in solver_names():
        raise ConfigError(WHO, f"there is no solver '{name}'", hint=suggest(name, solver_names()))
    if name == "hqs":
        return HQS(iterations=FEW if isinstance(operator, Blur) else MANY)
    found = vars(importlib.import_module(f"xhat.restore.solvers.{name}")).items()
    made: type[Solver] = next(value for key, value in found if key.lower() == name and isinstance(value, type))
    return made()
