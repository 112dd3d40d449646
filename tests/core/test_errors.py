import builtins

import pytest

from xhat.core import errors
from xhat.core.errors import ConfigError, MissingFileError, ShapeError, XhatError, require

BRANCHES = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, XhatError)]


def test_a_message_says_who_the_rule_what_came_and_what_to_do():
    error = ConfigError("BetaELBO", "beta must be >= 0", -1, "use beta=0 for a pure reconstruction loss")
    assert str(error) == "BetaELBO: beta must be >= 0, got -1. Use beta=0 for a pure reconstruction loss."


@pytest.mark.parametrize(
    ("got", "hint", "message"),
    [
        (None, "", "Who: rule."),
        (0, "", "Who: rule, got 0."),
        (None, "do this.", "Who: rule. Do this."),
        (None, "did you mean 'mmd'?", "Who: rule. Did you mean 'mmd'?"),
    ],
)
def test_parts_of_the_message_may_be_left_out(got, hint, message):
    assert str(XhatError("Who", "rule", got, hint)) == message


@pytest.mark.parametrize("cls", [cls for cls in BRANCHES if cls is not XhatError])
def test_every_error_is_also_a_builtin_and_prints_its_message(cls):
    parents = [parent for parent in cls.__mro__ if parent.__module__ == "builtins"]
    assert getattr(builtins, parents[0].__name__) is not Exception
    assert str(cls("Who", "rule", 1, "do this")) == "Who: rule, got 1. Do this."


def test_a_missing_file_is_caught_as_python_calls_it():
    with pytest.raises(FileNotFoundError, match=r"data\.csv: does not exist"):
        raise MissingFileError("data.csv", "does not exist")


def test_require_raises_the_chosen_branch_only_where_the_rule_is_broken():
    require(True, "Who", "rule")
    with pytest.raises(ConfigError, match="Who: rule, got 3"):
        require(False, "Who", "rule", 3)
    with pytest.raises(ShapeError):
        require(False, "Who", "rule", error=ShapeError)
