"""What principal component analysis reaches on the same rows, for any number of components."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from xhat.core.batch import Batch
from xhat.data.dataset import Dataset
from xhat.data.scaling import Scaling
from xhat.metrics.principal_components import PrincipalComponents
from xhat.metrics.reconstruction_error import mean_squared_error


def pca_curve(
    data: Dataset, rows: Tensor, scaling: Scaling, pca: PrincipalComponents, components: Sequence[int]
) -> dict[int, float]:
    """Measure PCA on rows that it was not fitted to, in the data's own units.

    Parameters
    ----------
    data : Dataset
        The data.
    rows : int64 Tensor
        Which of its rows.
    scaling : Scaling
        The model's, on the CPU: both then work in the same space.
    pca : PrincipalComponents
        Fitted to training rows under the same scaling.
    components : sequence of int
        Numbers of components; 0 is the mean input. One above the fitted number counts as that.

    Returns
    -------
    dict of int to float
        Mean squared error per observed element for each number of components.
    """

    def copy(batch: Batch, k: int) -> Tensor:
        rows = scaling(batch.x)
        return scaling.inverse(pca.copy(rows.flatten(1), k).view_as(rows))

    return {k: mean_squared_error(data, rows, partial(copy, k=k)) for k in sorted(set(components))}
