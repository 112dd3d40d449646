"""The scores by their names."""

from __future__ import annotations

from xhat.metrics.abnormality.abnormality import Abnormality
from xhat.metrics.abnormality.likelihood import Likelihood
from xhat.metrics.abnormality.mahalanobis import Mahalanobis
from xhat.metrics.abnormality.neighbours import Neighbours
from xhat.metrics.abnormality.reconstruction import Reconstruction

METHODS: dict[str, type[Abnormality]] = {
    "neighbours": Neighbours,
    "mahalanobis": Mahalanobis,
    "reconstruction": Reconstruction,
    "likelihood": Likelihood,
}
