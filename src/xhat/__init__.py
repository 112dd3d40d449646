"""xhat: the autoencoder library. z = f(x), x̂ = g(z), for any f and any g."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from xhat.core.version import VERSION

__version__ = VERSION

# Name -> where it lives. Imported when first asked for, so that `xhat --help` does not wait for torch.
_HOMES = {
    "AAE": "xhat.estimators.aae",
    "AE": "xhat.estimators.ae",
    "DAE": "xhat.estimators.dae",
    "Denoiser": "xhat.estimators.denoiser",
    "Detector": "xhat.estimators.detector",
    "Imputer": "xhat.estimators.imputer",
    "RAE": "xhat.estimators.rae",
    "SAE": "xhat.estimators.sae",
    "TabularVAE": "xhat.estimators.tabular_vae",
    "VAE": "xhat.estimators.vae",
    "VQVAE": "xhat.estimators.vqvae",
    "WAE": "xhat.estimators.wae",
    "Autoencoder": "xhat.models.autoencoder",
    "Batch": "xhat.core.batch",
    "Code": "xhat.core.code",
    "Fitted": "xhat.models.fitted",
    "GaussianCode": "xhat.core.gaussian_code",
    "Loss": "xhat.core.loss",
    "Objective": "xhat.core.objective",
    "Recipe": "xhat.models.recipe",
    "XhatError": "xhat.core.errors",
    "aae": "xhat.models.recipes.aae",
    "ae": "xhat.models.recipes.ae",
    "build": "xhat.core.component",
    "compare": "xhat.runs.compare",
    "config": "xhat.core.component",
    "cosine": "xhat.parts.schedules.cosine:Cosine",
    "cyclical": "xhat.parts.schedules.cyclical:Cyclical",
    "dae": "xhat.models.recipes.dae",
    "export": "xhat.runs.export",
    "fit": "xhat.runs.fit",
    "fit_many": "xhat.runs.fit_many",
    "linear": "xhat.parts.schedules.linear:Linear",
    "load": "xhat.models.artifact",
    "resume": "xhat.runs.fit",
    "save": "xhat.models.artifact",
    "vae": "xhat.models.recipes.vae",
    # Not `report`: the import system gives that name to the package that it lies in.
    "write_report": "xhat.report.write:report",
}

if TYPE_CHECKING:
    from xhat import data as data
    from xhat.core.batch import Batch as Batch
    from xhat.core.code import Code as Code
    from xhat.core.component import build as build
    from xhat.core.component import config as config
    from xhat.core.errors import XhatError as XhatError
    from xhat.core.gaussian_code import GaussianCode as GaussianCode
    from xhat.core.loss import Loss as Loss
    from xhat.core.objective import Objective as Objective
    from xhat.estimators.aae import AAE as AAE
    from xhat.estimators.ae import AE as AE
    from xhat.estimators.dae import DAE as DAE
    from xhat.estimators.denoiser import Denoiser as Denoiser
    from xhat.estimators.detector import Detector as Detector
    from xhat.estimators.imputer import Imputer as Imputer
    from xhat.estimators.rae import RAE as RAE
    from xhat.estimators.sae import SAE as SAE
    from xhat.estimators.tabular_vae import TabularVAE as TabularVAE
    from xhat.estimators.vae import VAE as VAE
    from xhat.estimators.vqvae import VQVAE as VQVAE
    from xhat.estimators.wae import WAE as WAE
    from xhat.models.artifact import load as load
    from xhat.models.artifact import save as save
    from xhat.models.autoencoder import Autoencoder as Autoencoder
    from xhat.models.fitted import Fitted as Fitted
    from xhat.models.recipe import Recipe as Recipe
    from xhat.models.recipes.aae import aae as aae
    from xhat.models.recipes.ae import ae as ae
    from xhat.models.recipes.dae import dae as dae
    from xhat.models.recipes.vae import vae as vae
    from xhat.parts.schedules.cosine import Cosine
    from xhat.parts.schedules.cyclical import Cyclical
    from xhat.parts.schedules.linear import Linear
    from xhat.report.write import report
    from xhat.restore.front import restore as restore
    from xhat.runs.compare import compare as compare
    from xhat.runs.export import export as export
    from xhat.runs.fit import fit as fit
    from xhat.runs.fit import resume as resume
    from xhat.runs.fit_many import fit_many as fit_many

    cosine = Cosine
    cyclical = Cyclical
    linear = Linear
    write_report = report

# Rooms that are named as they are; `restore` can be called.
_ROOMS = ("data", "restore")

__all__ = [*_HOMES, *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"xhat.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'xhat' has no attribute '{name}'")
    home, _, own = _HOMES[name].partition(":")
    return getattr(importlib.import_module(home), own or name)


def __dir__() -> list[str]:
    return sorted(__all__)
