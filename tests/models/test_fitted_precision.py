"""Codes and copies in fewer bits, where that was asked for, and only there."""

from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch

import xhat
from xhat.engine.precision import has_bf16
from xhat.metrics.code_error import code_error


@pytest.fixture(scope="module")
def fitted():
    return tiny.fit("ae")


def test_codes_of_16_bits_are_near_those_of_32_and_not_the_same(fitted):
    coarse, exact = replace(fitted, precision="bf16").encode(tiny.rows()), fitted.encode(tiny.rows())
    assert coarse.dtype == np.float32
    assert 1e-6 < code_error(coarse, exact) < 0.02  # bfloat16 keeps eight bits: steps of 1/256


def test_copies_have_the_precision_too_and_what_comes_after_has_not(fitted):
    half = replace(fitted, precision="bf16")
    copies = half.reconstruct(tiny.rows())
    assert not np.array_equal(copies, fitted.reconstruct(tiny.rows()))
    np.testing.assert_array_equal(copies, half.decode(half.encode(tiny.rows())))
    # They share the nets, which are left as they were.
    np.testing.assert_array_equal(fitted.encode(tiny.rows()), tiny.fit("ae").encode(tiny.rows()))


def test_what_is_saved_and_what_is_double_forget_it(fitted, tmp_path):
    half = replace(fitted, precision="bf16")
    assert half.double.precision == "32"
    assert half.double.encode(tiny.rows()).dtype == np.float64
    assert xhat.load(xhat.save(half, tmp_path / "run")).precision == "32"


def test_rows_do_not_depend_on_how_many_come_together(fitted, monkeypatch):
    whole = fitted.encode(tiny.rows())
    monkeypatch.setattr("xhat.models.fitted.rows_at_once", lambda model, device: 7)
    np.testing.assert_allclose(fitted.encode(tiny.rows()), whole, atol=1e-5)
    assert fitted.decode(whole).shape == tiny.rows().shape


def test_auto_takes_fewer_bits_only_where_the_device_has_them(fitted):
    auto = replace(fitted, precision="auto").encode(tiny.rows())
    np.testing.assert_array_equal(auto, fitted.encode(tiny.rows()))  # a perceptron: no wide convolutions
    vae = xhat.fit(tiny.data(), "vae", net="conv", latent=2, overrides={"net.widths": [16, 16]}, **tiny.SHORT)
    gains = not np.array_equal(replace(vae, precision="auto").encode(tiny.rows()), vae.encode(tiny.rows()))
    assert gains == has_bf16(torch.device("cpu"))
