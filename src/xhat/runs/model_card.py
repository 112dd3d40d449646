"""The model card: what a run folder says of itself to whoever finds it."""

from __future__ import annotations

from xhat.data.schema import Schema
from xhat.models.fitted import Fitted
from xhat.runs.folder import RunFolder
from xhat.runs.verdict import SQUARES, STANDARDISED, advice, numbers, units, verdict

CARD = """\
# {{ origin.recipe }} on {{ schema.name }}

{{ verdict }}

| | |
| --- | --- |
| data | {{ schema.name }}: {{ origin.rows }} rows of {{ rows }} |
| net | {{ origin.net }}, {{ "{:,}".format(summary.parameters) }} parameters |
| code | {{ summary.code }} dimensions, {{ summary.active }} active{{ at_once }} |
| training | {{ summary.epochs }} epochs in {{ "%.1f" % summary.seconds }} s, {{ summary.status }} |
| seed | {{ origin.settings.seed }} |
| scaling | {{ scaling }} |

{{ measure | capitalize }} per element on {{ summary["rows.validation"] }} validation rows, {{ units }}:

| this model | PCA, {{ components }} components | the mean input |
| --- | --- | --- |
| {{ "%.6g" % summary["error.model"] }} | {{ "%.6g" % summary["error.pca"] }} | {{ "%.6g" % summary["error.mean"] }} |

## Use

```python
import xhat

model = xhat.load("{{ path }}")
{% if labels %}rows = xhat.data.open(rows, labels=labels)  # which this model reads
{% endif %}codes = model.encode(rows)  # (n, {{ code_shape }})
copies = model.reconstruct(rows)
```

```sh
xhat encode DATA --model {{ path }} --out codes.npy
```

## Limits

It knows rows like those that it was trained on. The errors above are of rows from the same source; of others nothing
is known.
{% for note in notes %}
- {{ note }}
{%- endfor %}
"""


def model_card(fitted: Fitted, folder: RunFolder) -> str:
    """Fill in the card of a finished run."""
    from jinja2 import Environment, StrictUndefined  # here alone: a fit without a folder has no card

    template = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False).from_string(CARD)
    return template.render(
        origin=fitted.origin,
        schema=fitted.schema,
        rows=_rows(fitted.schema),
        # The units say it.
        measure=SQUARES if fitted.summary["measure"] == STANDARDISED else fitted.summary["measure"],
        units=units(fitted.summary),
        scaling=fitted.scaling.how,
        summary=fitted.summary,
        verdict=verdict(fitted.summary),
        notes=advice(fitted.summary),
        components=numbers(fitted.summary),
        at_once=f", {fitted.summary['l0']:.1f} of them in a row" if "l0" in fitted.summary else "",
        path=folder.path,
        labels=fitted.model.reads_labels,
        code_shape=", ".join(map(str, fitted.model.code_shape)),
    )


def _rows(schema: Schema) -> str:
    if schema.mixed is not None:
        categories = sum(column.categories is not None for column in schema.mixed)
        return f"a table of {len(schema.mixed)} columns, {categories} of them of categories"
    return f"{schema.kind} {'×'.join(map(str, schema.shape))}, {schema.dtype}"
