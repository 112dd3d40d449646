"""Data: open anything as a `Dataset` of rows, with the schema that says what they are."""

from xhat.data.dataset import Dataset
from xhat.data.open import open
from xhat.data.schema import Schema
from xhat.data.split import Split

__all__ = ["Dataset", "Schema", "Split", "open"]
