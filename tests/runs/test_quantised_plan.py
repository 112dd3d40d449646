import pytest
from tiny import data

from xhat.runs.plan import make_plan


@pytest.mark.parametrize("kind", ["vqvae", "rqvae", "fsq", "lfq"])
def test_numbers_of_few_values_compress_however_many_there_are(kind):
    latent = 60 if kind == "lfq" else 128
    plan = make_plan(data(), kind, latent=latent, **({"code": "spatial", "net": "conv"} if kind == "lfq" else {}))
    code = plan.recipe.model.code_shape
    assert (code[0], len(code)) == (latent, 3 if kind == "lfq" else 1)
    assert plan.warnings == ()
    (warning,) = make_plan(data(), "ae", latent=128).warnings
    assert warning.endswith("nothing is compressed")
