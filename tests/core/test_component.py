import json

import pytest
import torch

from xhat.core import Component, build, config
from xhat.core.errors import ConfigError, UnknownKindError
from xhat.parts.corruptions.masking import Masking
from xhat.parts.objectives.adversarial import Adversarial
from xhat.parts.objectives.denoising import Denoising


def test_parts_inside_parts_are_described_and_built_again():
    part = Denoising(Adversarial.example(), Masking(0.7))
    described = json.loads(json.dumps(config(part)))
    assert described["objective"]["critic"]["kind"] == "nets/mlp.encoder"
    assert described["corruption"] == {"kind": "corruptions/masking", "share": 0.7, "value": 0.0}
    twin = build(described)
    assert twin.objective.critic.hidden == part.objective.critic.hidden
    assert config(twin) == config(part)


def test_the_lists_of_json_come_back_as_tuples():
    built = build({"kind": "nets/conv.encoder", "in_shape": [1, 9, 9], "out_shape": [3], "widths": [4, 8]})
    assert built.widths == (4, 8)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"share": 0.5}, "build: a part's description must have a 'kind'"),
        (
            {"kind": "corruptions/masking", "shear": 0.5},
            "corruptions/masking: has no argument 'shear'. Did you mean 'share'?",
        ),
        ({"kind": "nets/mlp.encoder", "in_shape": [3]}, "nets/mlp.encoder: missing a required argument: 'out_shape'"),
        ({"kind": "corruptions/masking", "share": 2}, "corruptions/masking: share must lie in [0, 1], got 2."),
    ],
)
def test_a_wrong_description_is_refused_in_one_line(description, message):
    with pytest.raises(ConfigError) as error:
        build(description)
    assert str(error.value).startswith(message)


def test_a_description_can_name_nothing_outside_the_catalogue():
    with pytest.raises(UnknownKindError):
        build({"kind": "os.system", "command": "true"})


def test_building_leaves_the_description_as_it_was():
    description = {"kind": "corruptions/masking", "share": 0.5}
    build(description)
    assert description == {"kind": "corruptions/masking", "share": 0.5}


def test_an_argument_that_json_cannot_hold_is_refused_by_name():
    class Own(Component):
        def __init__(self, table: torch.Tensor) -> None:
            super().__init__()
            self.table = table

    with pytest.raises(ConfigError, match=r"Own\.table: a configuration holds numbers, texts, lists and parts"):
        config(Own(torch.zeros(2)))


def test_numbers_texts_and_nested_lists_and_dictionaries_survive():
    class Own(Component):
        def __init__(self, a: object) -> None:
            super().__init__()
            self.a = a

    assert config(Own({1: [None, True, 2.5, "x", (3, 4)]}))["a"] == {"1": [None, True, 2.5, "x", [3, 4]]}
