"""Each example runs."""

import runpy
from pathlib import Path

from torch.nn.functional import avg_pool2d

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_digits_beside_pca(tmp_path, capsys):
    picture = tmp_path / "digits.png"
    runpy.run_path(str(EXAMPLES / "digits_beside_pca.py"))["main"](str(picture), epochs=2)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "of PCA's" in capsys.readouterr().out


def test_ordered_codes(tmp_path, capsys):
    picture = tmp_path / "elbow.png"
    runpy.run_path(str(EXAMPLES / "ordered_codes.py"))["main"](str(picture), max_iter=4, hidden=(16,))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "error from 3 numbers" in capsys.readouterr().out


def test_denoised_digits(tmp_path, capsys):
    picture = tmp_path / "denoised.png"
    runpy.run_path(str(EXAMPLES / "denoised_digits.py"))["main"](str(picture), max_iter=2, hidden=(16,))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "error to the clean digits: noisy 15." in capsys.readouterr().out


def test_restored_photograph(tmp_path, capsys):
    def smoothed(x, sigma):
        share = 20 * sigma / (1 + 20 * sigma)
        return (1 - share) * x + share * avg_pool2d(x, 3, 1, 1, count_include_pad=False)

    picture = tmp_path / "restored.png"
    main = runpy.run_path(str(EXAMPLES / "restored_photograph.py"))["main"]
    main(str(picture), prior=smoothed, side=32)
    assert picture.read_bytes().startswith(b"\x89PNG")
    lines = capsys.readouterr().out.splitlines()[:3]
    numbers = [[float(number) for number in line.partition(": ")[2].split()[:3]] for line in lines]
    assert all(before + 1 < after for before, after, _ in numbers)  # even of a prior that only smooths


def test_every_example_has_a_test_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {
        "denoised_digits",
        "digits_beside_pca",
        "ordered_codes",
        "restored_photograph",
    }
