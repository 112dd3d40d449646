"""Filling gaps: mean squared error of `xhat.Imputer` on hidden values, beside scikit-learn's imputers.

    python benchmarks/imputation.py --quick       # under a minute: two tables, a short fit, no forests
    python benchmarks/imputation.py --keep        # all four tables, the canonical hiding: some 10 minutes
    python benchmarks/imputation.py --seeds 3 --keep    # and two more draws of what is hidden: half an hour

Tables are standardised, half of their values are hidden completely at random (numpy.random.seed(1234) is the canonical
draw, further ones count up from it), and each method is fitted to what is left of the same rows that it fills. The
number is the mean squared error of hidden, standardised values. No setting was chosen on them: Imputer's defaults were
chosen on other tables and by hiding values that were observed. Classes and targets are left out: breast cancer has 30
columns, banknote 4, concrete 8, red wine 11. MIWAE's published number on breast cancer is .287.

A killed run loses nothing: --keep writes each line as it comes, and a later call of the same day goes on from there.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from _record import earlier, record, shared, table
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  the import is the switch
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import BayesianRidge

import xhat

CANONICAL = 1234
HEADER = ("table, seed", "mean", "KNN-5", "BayesianRidge", "ExtraTrees", "xhat.Imputer", "seconds of the last two")
TABLES = ("breast", "banknote", "concrete", "red wine")


def rows(name: str) -> np.ndarray:
    """Read a table, standardised."""
    if name == "breast":
        x = load_breast_cancer().data
    elif name == "banknote":
        x = np.loadtxt(shared("tabular/banknote_authentication.csv"), delimiter=",")[:, :4]
    elif name == "concrete":
        x = np.loadtxt(shared("tabular/concrete.txt"))[:, :8]
    else:
        x = np.loadtxt(shared("tabular/winequality-red.csv"), delimiter=",")[:, :11]
    return (x - x.mean(0)) / x.std(0)


def hidden(x: np.ndarray, seed: int) -> np.ndarray:
    """Put NaN in half of the places, as the published protocol draws them."""
    gaps = x.flatten()
    gaps[np.random.RandomState(seed).choice(x.size, x.size // 2, replace=False)] = np.nan
    return gaps.reshape(x.shape)


def line(name: str, seed: int, quick: bool) -> list[object]:
    """Fill one table by every method."""
    x = rows(name)
    gaps = hidden(x, seed)
    forest = ExtraTreesRegressor(100, random_state=0)
    methods = {
        "mean": SimpleImputer(),
        "KNN-5": KNNImputer(n_neighbors=5),
        "BayesianRidge": IterativeImputer(BayesianRidge(), max_iter=20, random_state=0),
        "ExtraTrees": None if quick else IterativeImputer(forest, max_iter=10, random_state=0),
        "xhat.Imputer": xhat.Imputer(random_state=0, **({"max_iter": 20} if quick else {})),
    }
    errors: list[object] = []
    seconds = []
    for method in methods.values():
        start = time.perf_counter()
        filled = gaps if method is None else method.fit_transform(gaps)
        seconds.append(time.perf_counter() - start)
        errors.append("-" if method is None else round(float(((filled - x)[np.isnan(gaps)] ** 2).mean()), 3))
    row = [f"{name}, {seed}", *errors, " / ".join(f"{value:.0f}" for value in seconds[-2:])]
    print(" | ".join(map(str, row)), flush=True)
    return row


def ranks(lines: list[list[object]]) -> list[object]:
    """Give each method's mean rank, 1 for the best of a line."""
    whole = np.array([[np.inf if cell == "-" else float(str(cell)) for cell in row[1:-1]] for row in lines])
    return ["mean rank", *[float(value) for value in (whole.argsort(1).argsort(1) + 1).mean(0)], ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="breast and banknote, 20 epochs, no forests")
    parser.add_argument("--keep", action="store_true", help="write the result beside the script")
    parser.add_argument("--seeds", type=int, default=1, help="how many draws of what is hidden")
    options = parser.parse_args()
    keep = options.keep and not options.quick  # its lines would be taken for the whole ones
    warnings.simplefilter("ignore", ConvergenceWarning)  # the forests' last round still moves
    cases = [(name, CANONICAL + i) for i in range(options.seeds) for name in (TABLES[:2] if options.quick else TABLES)]
    done = earlier("imputation", [f"{name}, {seed}" for name, seed in cases]) if keep else {}
    lines: list[list[object]] = []
    for name, seed in cases:
        lines.append(done.get(f"{name}, {seed}") or line(name, seed, options.quick))
        last = (name, seed) == cases[-1]
        if keep or last:
            record("imputation", table(HEADER, [*lines, ranks(lines)]), keep=keep)


if __name__ == "__main__":
    main()
