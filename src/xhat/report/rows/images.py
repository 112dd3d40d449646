"""Images, side by side."""

from __future__ import annotations

from markupsafe import Markup

from xhat.core.shapes import Shape
from xhat.report.rows.pixels import SIDE, difference, picture
from xhat.report.rows.view import Group, Pair, RowView
from xhat.report.words import number

# Smaller images are drawn with sharp pixels: there are few enough to be seen one by one.
SHARP = 64


class Images(RowView):
    """Pictures in rows of two or three."""

    @property
    def shape(self) -> Shape:
        """(C, H, W), whatever the schema says of it."""
        shape = self.schema.shape
        return shape if len(shape) == 3 else (1, *shape)

    def reading(self, scale: float) -> str:
        """Name the colours of differences."""
        if len(self.names) < 3:
            return ""
        full = number(scale * float(self.spread.max()))
        return f"Orange: too high; blue: too low; the full colour is an error of {full} in the data's own units."

    def group(self, group: Group, scale: float) -> Markup:
        """Show one table of pictures."""
        head = Markup("").join(Markup('<th scope="col">{}</th>').format(name) for name in self.names)
        rows = Markup("").join(self._row(pair, scale) for pair in group.pairs)
        table = '<table class="pictures"><thead><tr>{}<td></td></tr></thead><tbody>{}</tbody></table>'
        return Markup(table).format(head, rows)

    def _row(self, pair: Pair, scale: float) -> Markup:
        low, high = self._range()
        first, second, error = (x.reshape(self.shape) for x in (pair.first, pair.second, self.scaled(pair)))
        uris = [picture(first, low, high), picture(second, low, high)]
        if len(self.names) > len(uris):
            uris.append(difference(error, scale))
        sharp = "sharp" if max(self.shape[1:]) <= SHARP else "smooth"
        cells = Markup("").join(
            Markup('<td><img class="{}" src="{}" alt="{}" style="--side:{}px"></td>').format(
                sharp, uri, f"{name}: {pair.note}", SIDE
            )
            for name, uri in zip(self.names, uris, strict=True)
        )
        return Markup('<tr>{}<th scope="row">{}<br>{}</th></tr>').format(cells, pair.row, pair.measure)

    def _range(self) -> tuple[float, float]:
        low, high = self.schema.low, self.schema.high
        # Bytes that reach far are meant from 0 to 255, even where no pixel is quite white.
        return (0.0, 255.0) if self.schema.dtype == "uint8" and high > 127 else (low, high)
