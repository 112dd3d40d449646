"""The plain autoencoder as an estimator: dimension reduction that begins at PCA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xhat.engine.hook import Hook
from xhat.estimators._estimator import Estimator


class AE(Estimator):
    """Dimension reduction by an autoencoder, never worse than PCA on validation.

    Training begins at PCA, validation rows decide, and where nothing better was found the model is PCA.

    Parameters
    ----------
    n_components : int, default=2
        Code dimensions.
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

    def __init__(
        self,
        n_components: int = 2,
        *,
        net: str = "auto",
        hidden: tuple[int, ...] | None = None,
        likelihood: str | None = None,
        scale: str = "auto",
        init: str = "auto",
        batch_size: int | str = "auto",
        max_iter: int | str = "auto",
        learning_rate: float = 2e-3,
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | None = None,
        warm_start: bool = False,
        device: str = "auto",
        random_state: Any = None,
        verbose: int = 0,
        callbacks: Sequence[Hook] | None = None,
    ) -> None:
        self.n_components = n_components
        self.net = net
        self.hidden = hidden
        self.likelihood = likelihood
        self.scale = scale
        self.init = init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    @property
    def _kind(self) -> str:
        return "ae"
