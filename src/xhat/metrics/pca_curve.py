"""What principal component analysis reaches on the same rows, for any number of components."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from xhat.core.batch import Batch
from xhat.data.dataset import Dataset
from xhat.data.scaling import Scaling
from xhat.metrics.principal_components import PrincipalComponents, as_seen
from xhat.metrics.reconstruction_error import mean_error


def pca_curve(
    data: Dataset, rows: Tensor, scaling: Scaling, pca: PrincipalComponents, components: Sequence[int]
) -> dict[int, float]:
    """Measure PCA on rows that it was not fitted to, in the data's own units.

    Of tokens PCA copies what they are one-hot, and the greatest entry of each step is its symbol; the mean input is
    then the most frequent symbol of each step.

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
        Mean squared error per observed element, or the share of wrong tokens, for each number of components.
    """

    def copy(batch: Batch, k: int) -> Tensor:
        copies = pca.copy(as_seen(batch, data.schema, scaling), k)
        if data.schema.vocabulary is not None:
            return copies.unflatten(1, (*data.schema.shape, -1)).argmax(-1)  # (B, T)
        return scaling.inverse(copies.view_as(batch.x))

    return {k: mean_error(data, rows, partial(copy, k=k), scaling) for k in sorted(set(components))}
