"""The plain autoencoder as an estimator: dimension reduction that begins at PCA."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, RealNotInt
from sklearn.utils.validation import check_is_fitted

from xhat.core.shapes import size
from xhat.data.dataset import Dataset
from xhat.estimators._constraints import EVERY, WHOLE
from xhat.estimators._curve import components_for, error_curve
from xhat.estimators._prefix import Prefix
from xhat.estimators._transformer import Transformer
from xhat.models.fitted import Fitted

# Dimensions that are tried where a share of the variance is asked for.
MOST = 64


@dataclass(eq=False, repr=False)
class AE(Prefix, Transformer):
    """Dimension reduction by an autoencoder that, of tables and images, is never worse than PCA on validation.

    Training begins at PCA, validation rows decide, and where nothing better was found the model is PCA. That holds for
    the squared error, under the scalings that keep it in proportion ("auto", "global", "unit"), and of ordered codes
    for all dimensions together. Series, other likelihoods and nets without a place for a linear path promise nothing.

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
    is_pca_ : bool
        Whether nothing better than PCA was found on validation: the model is then PCA of all rows.
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

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **EVERY,
        "n_components": [WHOLE, Interval(RealNotInt, 0, 1, closed="neither")],
        "ordered": ["boolean"],
    }

    n_components: int | float = 2
    _: KW_ONLY
    ordered: bool = False

    @property
    def is_pca_(self) -> bool:
        """Whether nothing better than PCA was found on validation: the model is then PCA of all rows."""
        check_is_fitted(self, "fitted_")
        return self.fitted_.summary.get("net_share") == 0

    @property
    def _kind(self) -> str:
        return "ordered" if self.ordered else "ae"

    def _codes(self, X: Any) -> NDArray[Any]:
        return super()._codes(X)[:, : self.n_components_]

    def _whole(self, codes: NDArray[Any]) -> NDArray[Any]:
        # Zero stands for the last dimensions of ordered codes.
        lacking = size(self.model_.code_shape) - codes.shape[1] if self.ordered else 0
        return np.pad(codes, ((0, 0), (0, max(lacking, 0))))

    def _code(self, rows: NDArray[Any]) -> int:
        if not self.ordered or isinstance(self.n_components, int | np.integer):
            return super()._code(rows)
        return min(MOST, int(np.prod(rows.shape[1:])), len(rows) - 1)

    def _take(self, fitted: Fitted, data: Dataset) -> None:
        super()._take(fitted, data)
        if self.ordered and not isinstance(self.n_components, int | np.integer):
            curve = error_curve(fitted, data, ordered=True)
            self.n_components_ = components_for(curve, self.n_components)
            fitted.origin["n_components"] = self.n_components_  # what is saved, and loaded again

    def _adopt(self, kind: str) -> None:
        self.ordered = kind == "ordered"
        super()._adopt(kind)

    def _is_ordered(self) -> bool:
        return self.ordered
