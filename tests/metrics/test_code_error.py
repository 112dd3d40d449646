import numpy as np
import pytest

from xhat.metrics.code_error import code_error

Z = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])


def test_it_is_the_root_of_errors_over_scatter_wherever_codes_lie():
    moved = Z + [[0.3, 0], [0, -0.4], [0, 0]]
    expected = np.sqrt(0.25 / 16)  # 0.09 + 0.16 over two times 2² + 0 + 2²
    assert code_error(moved, Z) == pytest.approx(expected)
    assert code_error(moved + 1e4, Z + 1e4) == pytest.approx(expected, rel=1e-6)
    assert code_error(Z.astype(np.float32), Z) == 0


def test_codes_that_are_all_the_same_are_measured_by_their_size():
    same = np.full((3, 2), 2.0)
    assert code_error(same * 1.5, same) == pytest.approx(0.5)
    assert code_error(same * 0, same * 0) == 0
