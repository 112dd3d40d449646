"""Each example runs."""

import runpy
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_digits_beside_pca(tmp_path, capsys):
    picture = tmp_path / "digits.png"
    runpy.run_path(str(EXAMPLES / "digits_beside_pca.py"))["main"](str(picture), epochs=2)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "of PCA's" in capsys.readouterr().out


def test_every_example_has_a_test_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {"digits_beside_pca"}
