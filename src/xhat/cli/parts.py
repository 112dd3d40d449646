"""``xhat parts``."""

from __future__ import annotations

import json as json_format

from xhat.cli.options import Switch
from xhat.core.catalogue import entries


def parts(room: str | None = None, /, *, json: Switch = False) -> None:
    """List what models and their training can be made of.

    Parameters
    ----------
    room
        Only this room, as nets or objectives.
    json
        Print JSON: a list of objects with kind, room, name and summary.
    """
    from rich.console import Console
    from rich.table import Table

    from xhat.core.catalogue import names

    if room is not None:
        names(room)  # refuses an unknown room
    listed = [entry for entry in entries() if room in (None, entry.room)]
    if json:
        fields = [{"kind": e.kind, "room": e.room, "name": e.name, "summary": e.summary} for e in listed]
        print(json_format.dumps(fields, indent=2, ensure_ascii=False))
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for entry in listed:
        table.add_row(entry.kind, entry.summary)
    Console().print(table)
