"""What arguments may be, in scikit-learn's own words: its error types and sentences come with them."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, get_args

from sklearn.utils._param_validation import Interval, StrOptions

from xhat.core.catalogue import names
from xhat.data.scaling import How
from xhat.runs.plan import INITS

AUTO = StrOptions({"auto"})
WHOLE = Interval(Integral, 1, None, closed="left")
# Coefficients are numbers, schedules or texts of schedules: the part that takes one refuses what is none.
OWN = "no_validation"

EVERY: dict[str, Any] = {
    "n_components": [WHOLE],
    "net": [StrOptions({"auto", *names("nets")}), tuple],
    "hidden": [list, tuple, None],
    "likelihood": [StrOptions(set(names("likelihoods"))), None],
    "scale": [StrOptions({"auto", *get_args(How)})],
    "init": [StrOptions(set(INITS))],
    "batch_size": [WHOLE, AUTO],
    "max_iter": [WHOLE, AUTO],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [WHOLE, None],
    "warm_start": ["boolean"],
    "device": [str],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
    "callbacks": [list, tuple, None],
}
