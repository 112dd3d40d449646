import importlib
import subprocess
import sys

import pytest

import xhat

NAMES = {
    "Autoencoder",
    "Batch",
    "Code",
    "Fitted",
    "GaussianCode",
    "Loss",
    "Objective",
    "Recipe",
    "XhatError",
    "aae",
    "ae",
    "build",
    "config",
    "dae",
    "data",
    "fit",
    "load",
    "save",
    "vae",
    "write_report",
}


def test_what_is_public_is_what_all_says():
    assert len(xhat.__all__) == len(set(xhat.__all__))
    assert set(xhat.__all__) >= NAMES
    assert set(dir(xhat)) >= NAMES
    namespace = {}
    exec("from xhat import *", namespace)
    assert set(xhat.__all__) <= set(namespace)


@pytest.mark.parametrize("name", xhat.__all__)
def test_each_name_is_there_and_stays_what_it_is(name):
    first = getattr(xhat, name)
    for module in ("xhat.cli.fit", "xhat.report.write", "xhat.runs.fit", "xhat.models.artifact"):
        importlib.import_module(module)
    assert getattr(xhat, name) is first
    assert first.__doc__ or name == "data"
    if name not in ("data", "restore"):  # rooms
        assert first.__name__ in (
            name,
            name.removeprefix("write_"),
            name.capitalize(),
        )  # a schedule is called as a function is


def test_no_name_is_shadowed_by_a_room():
    # Python sets a package's name on its parent as soon as it is imported: a function of that name would be lost.
    rooms = {path.name for path in importlib.resources.files("xhat").iterdir() if path.is_dir()}
    assert rooms & set(xhat.__all__) == {"data", "restore"}  # which is called as a function is


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'xhat' has no attribute 'fitt'"):
        _ = xhat.fitt
    with pytest.raises(ImportError):
        exec("from xhat import fitt")


def test_importing_it_imports_no_torch():
    code = "import sys, xhat; dir(xhat); xhat.__version__; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_it_says_that_it_is_typed():
    assert (importlib.resources.files("xhat") / "py.typed").is_file()
