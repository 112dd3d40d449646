"""Which view suits which rows."""

from __future__ import annotations

from xhat.report.evidence import Evidence
from xhat.report.rows.images import Images
from xhat.report.rows.lines import Lines
from xhat.report.rows.mixed_tables import MixedTables
from xhat.report.rows.symbols import Symbols
from xhat.report.rows.tables import Tables
from xhat.report.rows.view import RowView

VIEWS: dict[str, type[RowView]] = {"image": Images, "table": Tables, "series": Lines, "array": Lines}


def view_for(evidence: Evidence, names: tuple[str, ...]) -> RowView:
    """Choose by the schema's kind; symbols and mixed tables have views of their own."""
    schema = evidence.fitted.schema
    view = Symbols if evidence.symbols else VIEWS[schema.kind] if schema.mixed is None else MixedTables
    return view(schema, evidence.fitted.scaling.spread, names)
