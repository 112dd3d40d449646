import subprocess
import sys

import pytest

from xhat.core import catalogue
from xhat.core.errors import UnknownKindError
from xhat.parts.nets.mlp import MLPEncoder
from xhat.parts.objectives.mmd import MMD


def test_listing_imports_no_torch():
    code = (
        "import sys, xhat.core.catalogue as c; assert c.entries(); "
        "assert not {'torch', 'xhat.parts.objectives.mmd'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_words_of_core_are_all_found_and_no_others():
    import xhat.core

    assert all(getattr(xhat.core, name).__name__ == name for name in xhat.core.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = xhat.core.Nothing


def test_every_part_is_listed_with_a_line_about_it():
    entries = {entry.kind: entry.summary for entry in catalogue.entries()}
    assert entries["objectives/mmd"].startswith("Wasserstein autoencoder")
    assert entries["solvers/hqs"].startswith("HQS")
    assert entries["operators/blur"].startswith("Blur")
    assert not [kind for kind in entries if "/_" in kind]


def test_a_kind_finds_its_class_and_a_class_its_kind():
    assert catalogue.find("objectives/mmd") is MMD
    assert catalogue.find("nets/mlp.encoder") is MLPEncoder
    assert catalogue.kind_of(MMD) == "objectives/mmd"
    assert catalogue.kind_of(MLPEncoder) == "nets/mlp.encoder"


def test_every_class_is_found_by_its_own_kind():
    for room in (*catalogue.rooms(), "operators", "solvers"):
        for cls in catalogue.classes(room):
            assert catalogue.find(catalogue.kind_of(cls)) is cls


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("objectives/mdm", "objectives: there is no 'mdm'. Did you mean 'mmd'?"),
        ("objectvies/mmd", "catalogue: there is no room 'objectvies'. Did you mean 'objectives'?"),
        ("nets/mlp.encodr", "nets/mlp: has no 'encodr'. Did you mean 'nets/mlp.encoder'?"),
        ("solvers/hsq", "solvers: there is no 'hsq'. Did you mean 'hqs'?"),
        ("os/system", "catalogue: there is no room 'os'."),
        ("objectives/../../os", "objectives: there is no '"),
        ("nets/_blocks", "nets: there is no '_blocks'."),
    ],
)
def test_unknown_kinds_are_refused_with_a_suggestion(kind, message):
    with pytest.raises(UnknownKindError) as error:
        catalogue.find(kind)
    assert str(error.value).startswith(message)


def test_a_class_of_ones_own_has_a_kind_that_the_catalogue_does_not_hold():
    class Mine:
        pass

    assert catalogue.kind_of(Mine).startswith("own/")


def test_a_suggestion_is_the_nearest_name_or_all_of_them():
    assert catalogue.suggest("convv", ["conv", "mlp"]) == "did you mean 'conv'?"
    assert catalogue.suggest("zzz", ["conv", "mlp"]) == "use one of: conv, mlp"
