"""The words of xhat: what a code, a batch, a loss and a part are.

Each word is imported when it is first asked for, so that the catalogue is read without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xhat.core.batch import Batch
    from xhat.core.bottleneck import Bottleneck
    from xhat.core.classified_code import ClassifiedCode
    from xhat.core.code import Code
    from xhat.core.component import Component, build, config
    from xhat.core.corruption import Corruption
    from xhat.core.data_distribution import DataDistribution
    from xhat.core.decoder import Decoder
    from xhat.core.encoder import Encoder
    from xhat.core.gaussian_code import GaussianCode
    from xhat.core.likelihood import Likelihood
    from xhat.core.loss import Loss
    from xhat.core.model import Model
    from xhat.core.objective import Objective
    from xhat.core.posterior import Posterior
    from xhat.core.prior import Prior
    from xhat.core.quantised_code import QuantisedCode
    from xhat.core.schedule import Schedule
    from xhat.core.sparse_code import SparseCode
    from xhat.core.sphere_code import SphereCode
    from xhat.core.unit_code import UnitCode

__all__ = [
    "Batch",
    "Bottleneck",
    "ClassifiedCode",
    "Code",
    "Component",
    "Corruption",
    "DataDistribution",
    "Decoder",
    "Encoder",
    "GaussianCode",
    "Likelihood",
    "Loss",
    "Model",
    "Objective",
    "Posterior",
    "Prior",
    "QuantisedCode",
    "Schedule",
    "SparseCode",
    "SphereCode",
    "UnitCode",
    "build",
    "config",
]

_MODULES = {
    "UnitCode": "unit_code",
    "SparseCode": "sparse_code",
    "SphereCode": "sphere_code",
    "Schedule": "schedule",
    "QuantisedCode": "quantised_code",
    "Posterior": "posterior",
    "ClassifiedCode": "classified_code",
    "Batch": "batch",
    "Bottleneck": "bottleneck",
    "Code": "code",
    "Component": "component",
    "build": "component",
    "config": "component",
    "Corruption": "corruption",
    "DataDistribution": "data_distribution",
    "Decoder": "decoder",
    "Encoder": "encoder",
    "GaussianCode": "gaussian_code",
    "Likelihood": "likelihood",
    "Loss": "loss",
    "Model": "model",
    "Objective": "objective",
    "Prior": "prior",
}

if not TYPE_CHECKING:  # mypy would take this function for a promise that every name exists

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
