"""Calibration: how much farther answers are from the truth than from each other, as measured."""

from __future__ import annotations

from dataclasses import dataclass

from xhat.restore.direct import Direct
from xhat.restore.operator import Operator
from xhat.restore.operators.blur import Blur
from xhat.restore.operators.denoise import Denoise
from xhat.restore.operators.downsample import Downsample
from xhat.restore.operators.inpaint import Inpaint
from xhat.restore.plan import Plan
from xhat.restore.solvers.hqs import HQS


@dataclass(frozen=True)
class Calibration:
    """What makes a spread of answers a spread of errors.

    Parameters
    ----------
    factor : float
        c: two c times the pooled spread hold 95 % of the errors.
    coverage : float, optional
        The share that they held on other pictures than those that chose c; None where nothing was measured.
    """

    factor: float
    coverage: float | None = None


# The first two numbers of the lines that benchmarks/uncertainty.py prints: c from crops of twelve pictures of BSDS500's
# training part, the coverage from twelve others. The prior was trained on none of them, and no test picture is among
# them. They belong to the prior that ships: the nearer a net comes to answering alike from all sides, the larger c.
MEASURED: dict[type[Operator], Calibration] = {
    Denoise: Calibration(4.08, 0.928),
    Blur: Calibration(6.2, 0.918),
    Downsample: Calibration(8.73, 0.935),
    Inpaint: Calibration(3.9, 0.94),
}
# Of what was not measured: near the mean of what was.
ELSE = Calibration(5.0)


def calibration(plan: Plan) -> Calibration:
    """Give what was measured of a plan's kind of operator with hqs, or what comes nearest."""
    measured = MEASURED.get(type(plan.problem.operator), ELSE)
    return measured if isinstance(plan.solver, HQS | Direct) else Calibration(measured.factor)
