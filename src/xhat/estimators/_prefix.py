"""The first dimensions of an ordered code."""

from __future__ import annotations

from typing import Any

from xhat.core.errors import require


class Prefix:
    """Let `transform` keep the first dimensions alone.

    It stands before the class whose `transform` scikit-learn dresses as a frame, and cuts what comes out: a frame then
    has the names of the columns that are left.
    """

    ordered: bool
    n_components_: int

    def transform(self, X: Any, n_components: int | None = None) -> Any:
        """Give the codes of rows, (n_samples, n_components), in X's own precision.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Rows.
        n_components : int, optional
            How many of the first dimensions; only of ordered codes.
        """
        codes = super().transform(X)  # type: ignore[misc]
        if n_components is None:
            return codes
        who = f"{type(self).__name__}.transform"
        require(self.ordered, who, "n_components is for ordered=True", n_components, "leave it out")
        rule = f"n_components must be from 1 to {self.n_components_}"
        require(1 <= n_components <= self.n_components_, who, rule, n_components, "fit with more for more")
        return codes.iloc[:, :n_components] if hasattr(codes, "iloc") else codes[:, :n_components]
