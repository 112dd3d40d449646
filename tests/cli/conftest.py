"""A command line that is called in the test's own process, and a run that is made once."""

import numpy as np
import pytest
import tiny

import xhat
from xhat.cli import main


class Result:
    def __init__(self, status, captured):
        self.status, self.out, self.err = status, captured.out, captured.err

    @property
    def error(self) -> str:
        """The one line of a refusal."""
        assert self.status == 2
        assert self.out == ""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("xhat: ")
        return lines[0].removeprefix("xhat: ")


@pytest.fixture
def xhat_(capsys, tmp_path, monkeypatch):
    """Call the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(words: str | list[str], *more) -> Result:
        given = words.split() if isinstance(words, str) else words
        capsys.readouterr()
        status = main([*given, *map(str, more)])
        return Result(status, capsys.readouterr())

    return call


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """200 digits in a file."""
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    np.savez(path, x=tiny.rows(), y=tiny.data().y.numpy())
    return path


@pytest.fixture(scope="session")
def run(tmp_path_factory, digits):
    """A finished run on them."""
    path = tmp_path_factory.mktemp("runs") / "digits"
    assert main(["fit", str(digits), "--kind", "vae", "--latent", "4", *tiny.FLAGS.split(), "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="session")
def model(run):
    return xhat.load(run)
