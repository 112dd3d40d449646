"""The words of xhat: what a code, a batch, a loss and a part are."""

from xhat.core.batch import Batch
from xhat.core.bottleneck import Bottleneck
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
from xhat.core.prior import Prior

__all__ = [
    "Batch",
    "Bottleneck",
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
    "Prior",
    "build",
    "config",
]
