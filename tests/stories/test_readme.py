"""README.md says nothing that does not run: its Python in one session, its commands as they stand."""

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from xhat.cli import main

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

# Setting up is for a machine without xhat.
SET_UP = ("make", "pip", "git", "python")


def commands(block: str) -> list[list[str]]:
    """Give the words of a block's commands; a comment says what one gives or costs."""
    lines = block.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Let all blocks of a language work in one folder, as a reader does, with a photograph in it."""
    folder = tmp_path_factory.mktemp("readme")
    Image.fromarray(load_sample_image("china.jpg")[110:206, 240:336]).save(folder / "photograph.jpg")
    return folder


def test_there_is_something_to_run():
    languages = [language for language, _ in BLOCKS]
    assert "python" in languages
    assert "sh" in languages


def test_python(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    namespace = {"__name__": "__main__"}
    for number, block in enumerate(block for language, block in BLOCKS if language == "python"):
        exec(compile(block, f"README.md, Python block {number + 1}", "exec"), namespace)
        printed = capsys.readouterr().out.splitlines()
        shown = re.findall(r"^print\(.*\n# (.*)$", block, re.MULTILINE)
        assert [numbers_apart(line) for line in printed] == [numbers_apart(line) for line in shown]


def numbers_apart(line: str) -> str:
    """Leave out digits after the first of a decimal fraction: another machine rounds otherwise."""
    return re.sub(r"(\d\.\d)\d+", r"\1", line)


@pytest.mark.parametrize("block", [block for language, block in BLOCKS if language == "sh"])
def test_commands(block, folder, monkeypatch):
    monkeypatch.chdir(folder)
    for words in commands(block):
        if words[0] in SET_UP:
            continue
        assert words[0] == "xhat", f"README.md: cannot run {shlex.join(words)}"
        assert main(words[1:]) == 0, shlex.join(words)


def test_a_file_of_options(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for block in (block for language, block in BLOCKS if language == "toml"):
        (folder / "run.toml").write_text(block)
        assert main(["fit", "--config", "run.toml", "--dry-run"]) == 0


def test_what_it_points_to_is_there():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target
