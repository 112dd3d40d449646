"""Files that pictures are written to: how their names end, and how large a picture they hold."""

from __future__ import annotations

from xhat.core.errors import ArtifactError, require

FORMS = {
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".bmp": "BMP",
}
# Pixels a side.
LARGEST = {"JPEG": 65500, "WEBP": 16383}


def form_of(suffix: str, height: int, width: int) -> str:
    """Give Pillow's name of the files that end so.

    Raises
    ------
    ArtifactError
        When pictures are not written to such files, or none of that size.
    """
    form = FORMS.get(suffix.lower(), "")
    hint = f"use one of {', '.join(FORMS)}"
    require(form != "", f"'{suffix}'", "is no file that pictures are written to", hint=hint, error=ArtifactError)
    most = LARGEST.get(form, max(height, width))
    rule, hint = f"holds pictures of at most {most} pixels a side", "write a .png, which holds any picture"
    require(max(height, width) <= most, f"'{suffix}'", rule, f"{width}x{height}", hint, error=ArtifactError)
    return form
