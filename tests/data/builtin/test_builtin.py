from pathlib import Path

from xhat.data import builtin


def test_names_are_those_of_the_files():
    files = {path.stem for path in Path(builtin.__file__).parent.glob("*.py")} - {"__init__"}
    assert {"digits", "curves", "sprites"} <= set(builtin.names()) == files
