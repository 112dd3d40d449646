"""The plain autoencoder as an estimator: dimension reduction that begins at PCA."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

from xhat.core.errors import require
from xhat.core.shapes import size
from xhat.data.dataset import Dataset
from xhat.estimators._curve import components_for, error_curve
from xhat.estimators._transformer import Transformer
from xhat.models.fitted import Fitted

# Dimensions that are tried where a share of the variance is asked for.
MOST = 64


@dataclass(eq=False, repr=False)
class AE(Transformer):
    """Dimension reduction by an autoencoder that is never worse than PCA on validation.

    Training begins at PCA, validation rows decide, and where nothing better was found the model is PCA. That holds for
    the squared error, under the scalings that keep it in proportion ("auto", "global", "unit").

    Parameters
    ----------
    n_components : int or float, default=2
        Code dimensions; of ordered codes also a share of the variance, in (0, 1), that they must explain.
    ordered : bool, default=False
        Whether dimensions come in order of importance: one fit then serves every number of them, as PCA's does.
    net : str, default="auto"
        Architecture; "auto" takes "mlp" for tables and small images, "conv" for large images.
    hidden : tuple of int, optional
        Widths of hidden layers, from the data's side to the code's; by default the net's.
    likelihood : str, optional
        "gaussian" (squared error), "laplace", "bernoulli", …; by default the recipe's.
    scale : {"auto", "global", "standard", "unit", "none"}
        How rows are scaled; "global" keeps squared errors in proportion, as PCA does.
    init : {"auto", "pca", "random"}
        Where training begins.
    batch_size : int or "auto"
        Rows a step.
    max_iter : int or "auto"
        Epochs at most.
    learning_rate : float, default=2e-3
        Peak of the cycle.
    early_stopping : bool, default=True
        Whether to stop after `n_iter_no_change` epochs without a better validation loss. Whether or not, the weights
        that were best on validation are kept.
    validation_fraction : float, default=0.1
        Share of rows that validate.
    n_iter_no_change : int, optional
        By default a third of the epochs, at least 10.
    warm_start : bool, default=False
        Whether a second `fit` continues from the first one's weights.
    device : str, default="auto"
        "auto", "cpu", "cuda", …
    random_state : int, RandomState or None
        Of weights, split and order. No global state is touched.
    verbose : int, default=0
        1 shows progress.
    callbacks : sequence of Hook, optional
        Who watches; see `xhat.engine.hook.Hook`.

    Attributes
    ----------
    model_ : Autoencoder
        The torch module.
    fitted_ : Fitted
        The model with its scaling, history and summary.
    loss_curve_, validation_curve_ : list of float
        Objective by epoch.
    n_iter_ : int
        Epochs.
    n_features_in_, feature_names_in_
        As scikit-learn's.
    """

    n_components: int | float = 2
    _: KW_ONLY
    ordered: bool = False

    @property
    def _kind(self) -> str:
        return "ordered" if self.ordered else "ae"

    def transform(self, X: Any, n_components: int | None = None) -> NDArray[Any]:
        """Give the codes of rows, (n_samples, n_components), in X's own precision.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Rows.
        n_components : int, optional
            How many of the first dimensions; only of ordered codes.
        """
        codes = self._codes(X)
        if n_components is None:
            return codes[:, : self.n_components_]
        require(self.ordered, "AE.transform", "n_components is for AE(ordered=True)", n_components, "leave it out")
        most = codes.shape[1]
        rule = f"n_components must be from 1 to {most}"
        require(1 <= n_components <= most, "AE.transform", rule, n_components, "fit with more for more")
        return codes[:, :n_components]

    def inverse_transform(self, X: Any) -> NDArray[Any]:
        """Give the rows of codes; of ordered codes any number of first dimensions will do."""
        codes = check_array(X, dtype=(np.float64, np.float32))
        if self.ordered and hasattr(self, "fitted_"):
            lacking = size(self.model_.code_shape) - codes.shape[1]
            codes = np.pad(codes, ((0, 0), (0, max(lacking, 0))))
        return super().inverse_transform(codes)

    def _code(self, rows: NDArray[Any]) -> int:
        if not self.ordered or not isinstance(self.n_components, float):
            return super()._code(rows)
        share = self.n_components
        rule = "n_components as a share must lie in (0, 1)"
        require(0 < share < 1, "AE", rule, share, "use a whole number for so many dimensions")
        return min(MOST, int(np.prod(rows.shape[1:])), len(rows) - 1)

    def _take(self, fitted: Fitted, data: Dataset) -> None:
        super()._take(fitted, data)
        if self.ordered and isinstance(self.n_components, float):
            curve = error_curve(fitted, data, ordered=True)
            self.n_components_ = components_for(curve, self.n_components)

    def _adopt(self, kind: str) -> None:
        self.ordered = kind == "ordered"
        super()._adopt(kind)

    def _is_ordered(self) -> bool:
        return self.ordered
