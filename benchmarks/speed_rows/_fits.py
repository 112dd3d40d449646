"""A row that trains: Pythae, its products alone, a bare loop and xhat in several settings, with one net."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from speed_rows._row import Contender, Options, Row
from speed_rows._training import BARE, PRODUCTS, PYTHAE, XHAT


def fits(
    title: str,
    options: Options,
    settings: Mapping[str, Mapping[str, Any]],
    goals: Mapping[str, float],
    **work: Any,
) -> Row:
    """Put a row together.

    Parameters
    ----------
    title : str
        The work.
    options : Options
        The run's.
    settings : mapping of str to mapping
        xhat's contenders: a name, and fields of `TrainSettings`. Those that compile are left out of quick runs.
    goals : mapping of str to float
        Times Pythae's.
    **work
        rows, shape, net, net_options, latent, objective, batch, warm and steps of the programs.
    """
    if options.quick:
        work["steps"] = max(work["steps"] // 8, 10)
        work["rows"] = min(work["rows"], 20 * work["batch"])
        settings = {name: chosen for name, chosen in settings.items() if chosen.get("compile") != "on"}
    work["clock"] = options.clock
    given = json.dumps(work)
    peers = {"Pythae": Contender(PYTHAE, (given,), options.peer)} if options.peer else {}
    ours = {
        name: Contender(XHAT, (json.dumps(work | {"settings": dict(chosen)}),)) for name, chosen in settings.items()
    }
    limit = {} if options.quick else {"products alone, 32": Contender(PRODUCTS, (given,))}
    return Row(title, peers | limit | {"bare loop": Contender(BARE, (given,))} | ours, goals if options.peer else {})
