"""Handwritten digits: 1,797 images of 8×8 pixels with values 0 to 16, labelled, from scikit-learn.

E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998.
"""

from __future__ import annotations

from xhat.data.raw import Raw


def read() -> Raw:
    """Read the digits, (1797, 8, 8), with labels 0 to 9."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return Raw(digits.images, "digits", labels=digits.target, kind="image")
