"""What principal component analysis reaches on the same rows, for any number of components."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from sklearn.decomposition import PCA
from torch import Tensor

from xhat.core.batch import Batch
from xhat.core.shapes import size
from xhat.data.dataset import Dataset
from xhat.data.scaling import Scaling
from xhat.metrics.reconstruction_error import mean_squared_error

# Values that PCA is fitted to at most, 1 GB of them: with more rows it sees a sample.
MOST = 250_000_000


def pca_curve(
    data: Dataset, train: Tensor, rows: Tensor, scaling: Scaling, components: Sequence[int]
) -> dict[int, float]:
    """Fit PCA to training rows, as the model sees them, and measure it on others, in the data's own units.

    Parameters
    ----------
    data : Dataset
        The data.
    train, rows : int64 Tensor
        Rows to fit to, and rows to measure on.
    scaling : Scaling
        The model's: both then work in the same space. Missing entries are 0 there for both.
    components : sequence of int
        Numbers of components; 0 is the mean input. One above the rank counts as the rank.

    Returns
    -------
    dict of int to float
        Mean squared error per observed element for each number of components.
    """
    shape = data.schema.shape
    dimensions = size(shape)
    train = train[:: max(1, -(-len(train) * dimensions // MOST))]
    rank = min(len(train) - 1, dimensions)
    # A copy on the CPU: the model's own scaling may live on another device.
    own = Scaling(scaling.how, scaling.shape)
    own.load_state_dict(scaling.state_dict())
    x = torch.cat([own(data.batch(part).x).flatten(1) for part in train.split(4096)]).numpy()  # (N, D)
    pca = PCA(max(1, min(max(components), rank)), random_state=0).fit(x)
    mean, axes = torch.from_numpy(pca.mean_), torch.from_numpy(pca.components_)  # (D,), (K, D)

    def reconstruct(batch: Batch, k: int) -> Tensor:
        centred = own(batch.x).flatten(1) - mean  # (B, D)
        return own.inverse((mean + centred @ axes[:k].T @ axes[:k]).unflatten(1, shape))

    return {k: mean_squared_error(data, rows, partial(reconstruct, k=k)) for k in sorted(set(components))}
