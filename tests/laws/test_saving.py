"""Weights written and read are the same weights."""

import numpy as np
import pytest

import chainrule as cr


def test_a_model_comes_back(tmp_path):
    cr.seed(0)
    model = cr.models.MLP(3, 4, 2, batch_norm=True)
    other = cr.models.MLP(3, 4, 2, batch_norm=True)
    cr.save(model, tmp_path / "model.safetensors")
    assert cr.load(other, tmp_path / "model.safetensors") is other
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name], array)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(cr.CheckpointError, match=r"none\.safetensors could not be read"):
        cr.load(cr.nn.Linear(2, 2), tmp_path / "none.safetensors")
