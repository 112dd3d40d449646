"""What holds for every command."""

import os
import subprocess
import sys
import time

import pytest

from xhat import __version__
from xhat.cli.app import COMMANDS

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


def process(*words: str, code: str | None = None):
    begin = ["-c", code] if code else ["-m", "xhat"]
    return subprocess.run(
        [sys.executable, *begin, *words], capture_output=True, text=True, env=ENVIRONMENT, timeout=120, check=False
    )


def test_help_lists_every_command_and_imports_no_torch():
    code = "import sys; from xhat.cli import main; main(['--help']); print('torch' in sys.modules)"
    done = process(code=code)
    assert done.stdout.endswith("False\n")
    for command, summary in COMMANDS.items():
        assert command in done.stdout
        assert summary in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps(xhat_, command):
    done = xhat_([command, "--help"])
    assert done.status == 0
    assert COMMANDS[command].rstrip(".") in done.out


@pytest.mark.parametrize("words", [["parts"], ["--version"], ["fit", "--help"]])
def test_quick_commands_import_no_torch(words):
    code = f"import sys; from xhat.cli import main; main({words!r}); print('torch' in sys.modules)"
    assert process(code=code).stdout.endswith("False\n")


def test_help_is_quick():
    start = time.process_time(), os.times().children_user
    process("--help")
    assert os.times().children_user - start[1] < 1.0  # of the processor's own time: the machine may be shared


def test_the_version(xhat_):
    assert xhat_("--version").out.strip() == __version__


def test_without_a_command_it_helps(xhat_):
    done = xhat_("")
    assert done.status == 0
    assert "Commands" in done.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("nosuch", 'Unknown command "nosuch". Available commands: demo, fit,'),
        ("fitt digits", 'Unknown command "fitt". Did you mean "fit"?'),
        ("fit digits --latnt 3", "Unknown option: --latnt. Did you mean --latent?"),
        ("fit digits --latent many", 'Invalid value for --latent: unable to convert "many" into int.'),
        ("fit digits more", "Unused Tokens: ['more']."),
        ("encode digits", "requires an argument"),
        ("fit digits --rows tables", "Invalid value"),
        ("fit", "fit: needs data. As in: xhat fit digits, or xhat fit table.csv --kind vae."),
        ("parts room", "catalogue: there is no room 'room'."),
    ],
)
def test_a_bad_command_line_is_refused_in_one_line(xhat_, words, says):
    assert says in xhat_(words).error


def test_a_process_ends_with_status_2_one_line_and_no_traceback():
    done = process("fit", "nowhere.npy")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("xhat: open: there is no 'nowhere.npy'.")
    assert done.stderr.count("\n") == 1


def test_debug_shows_the_traceback():
    done = process("--debug", "fit", "nowhere.npy")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "MissingFileError" in done.stderr


def test_a_refusal_of_the_system_is_a_line_as_well(xhat_, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied", "rows.csv")

    monkeypatch.setattr(sys.modules["xhat.data.open"], "open", refuse)
    assert xhat_("info rows.csv").error == "[Errno 13] Permission denied: 'rows.csv'"


def test_a_reader_that_has_read_enough_is_no_error(xhat_, monkeypatch):
    def refuse(*arguments, **options):
        raise BrokenPipeError

    monkeypatch.setattr(sys.modules["xhat.data.open"], "open", refuse)
    assert xhat_("info digits").status == 0
