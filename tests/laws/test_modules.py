"""What all modules obey: names, paths, modes, state, functional calls."""

import copy
import gc
import threading
import weakref

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.base.errors import OptionError, ShapeError
from chainrule.base.keys import Key
from tests.laws.image_layers import IMAGE_LAYERS
from tests.laws.recurrent_layers import RECURRENT_LAYERS
from tests.laws.sequence_layers import OTHERS, SEQUENCE_LAYERS, Attending

FURTHER_ACTIVATIONS = """
    CELU Hardshrink Hardsigmoid Hardswish Hardtanh Mish RReLU ReLU6 Softmin Softshrink Softsign Tanhshrink
"""
LAYERS = {
    "Linear": lambda: nn.Linear(4, 4),
    "BatchNorm1d": lambda: nn.BatchNorm1d(4),
    "LayerNorm": lambda: nn.LayerNorm(4),
    "Dropout": lambda: nn.Dropout(0.3),
    "Flatten": nn.Flatten,
    "Highway": lambda: nn.Highway(4),
    "Residual": lambda: nn.Residual(nn.Linear(4, 4)),
    "Sequential": lambda: nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)),
    **{make.__name__: make for make in nn.ACTIVATIONS.values()},
    **{name: getattr(nn, name) for name in FURTHER_ACTIVATIONS.split()},
    "Threshold": lambda: nn.Threshold(0.1, -1.0),
    "GLU": lambda: nn.Sequential(nn.Linear(4, 8), nn.GLU()),
    "Unflatten": lambda: nn.Sequential(nn.Unflatten(1, (2, 2)), nn.Flatten()),
    "Bilinear": lambda: Attending(nn.Bilinear(4, 4, 4), takes=2),
    **SEQUENCE_LAYERS,
}
"""One of each layer, all from 4 features to 4."""

COMPARING = {"CosineSimilarity", "PairwiseDistance"}
"""From two inputs to a number a row: in tests/oracles."""
ABSTRACT = {"Module", "Activation", "Ensemble", "LowPrecision"} | COMPARING | OTHERS | RECURRENT_LAYERS


def rows(n=6, d=4, dtype=np.float64):
    return (Key(0) / "rows" / n / d).generator().standard_normal((n, d)).astype(dtype)


def mlp():
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))


class Nested(nn.Module):
    """Modules as attributes, in lists, tuples and dicts, and inside of one another."""

    def __init__(self):
        self.first = nn.Linear(4, 4)
        self.blocks = [nn.Residual(nn.Linear(4, 4)), nn.BatchNorm1d(4)]
        self.heads = {"mean": nn.Linear(4, 1), "deep": [nn.Linear(4, 4), nn.Linear(4, 1)]}
        self.pair = (nn.PReLU(), nn.PReLU())
        self.scale = nn.Parameter([1.0])
        self.shifts = [nn.Parameter([0.0]), nn.Parameter([1.0])]

    def forward(self, x):
        for module in (self.first, *self.blocks, *self.pair):
            x = module(x)
        deep = self.heads["deep"][1](self.heads["deep"][0](x))
        return self.scale * (self.heads["mean"](x) + deep) + self.shifts[0] + self.shifts[1]


NESTED_NAMES = [
    "scale", "shifts.0", "shifts.1", "first.weight", "first.bias", "blocks.0.inner.weight",
    "blocks.0.inner.bias", "blocks.1.weight", "blocks.1.bias", "heads.mean.weight", "heads.mean.bias",
    "heads.deep.0.weight", "heads.deep.0.bias", "heads.deep.1.weight", "heads.deep.1.bias",
    "pair.0.weight", "pair.1.weight",
]  # fmt: skip


def test_every_layer_is_here():
    classes = [getattr(nn, name) for name in nn.__all__ if isinstance(getattr(nn, name), type)]
    layers = {c.__name__ for c in classes if issubclass(c, nn.Module)}
    assert layers == LAYERS.keys() | ABSTRACT | IMAGE_LAYERS.keys()


# The tree.


def test_names_of_a_nested_module():
    model = Nested()
    assert [name for name, _ in model.named_parameters()] == NESTED_NAMES
    assert model.n_parameters == sum(p.size for p in model.parameters())
    assert [name for name, _ in model.named_buffers()] == [
        "blocks.1.running_mean", "blocks.1.running_var", "blocks.1.num_batches_tracked",
    ]  # fmt: skip


def test_every_parameter_of_a_nested_module_learns():
    model = Nested()
    model(rows(dtype=np.float32)).sum().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("name", LAYERS)
def test_names_are_unique_and_lead_to_their_owners(name):
    model = nn.Sequential(LAYERS[name](), LAYERS[name](), nn.Residual(LAYERS[name]()))
    names = [n for n, _ in model.named_parameters()]
    assert len(names) == len(set(names))
    for path, p in model.named_parameters():
        owner = dict(model.named_modules())[path.rpartition(".")[0]]
        assert getattr(owner, path.rpartition(".")[2]) is p


def test_a_shared_module_counts_once():
    shared = nn.Linear(4, 4)
    model = nn.Sequential(shared, nn.Tanh(), shared, nn.Residual(shared))
    assert [n for n, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert model.n_parameters == 20
    assert len(model) == 4
    assert len(list(model.modules())) == 4  # the model, the layer, tanh, the shortcut
    model(rows(dtype=np.float32)).sum().backward()
    y = sum((shared(x) for x in [rows(dtype=np.float32)]), cr.zeros(6, 4))
    assert y.shape == (6, 4)


def test_a_shared_parameter_counts_once_and_gets_both_gradients():
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)).astype("float64")
    model[1].weight = model[0].weight
    assert [n for n, _ in model.named_parameters()] == ["0.weight"]
    model(rows()).sum().backward()

    def loss(w):
        return cr.affine(cr.affine(rows(), w), w).sum()

    np.testing.assert_allclose(model[0].weight.grad.data, cr.grad(loss)(model[0].weight.data), rtol=1e-12)


def test_a_module_that_holds_itself_is_walked_once():
    model = mlp()
    model[0].parent = model
    assert len(list(model.modules())) == 4
    assert len(list(model.named_parameters())) == 4
    with pytest.raises(OptionError, match="missing"):
        model.load_state_dict({})


@pytest.mark.parametrize(
    "change",
    [
        lambda m: setattr(m, "extra", nn.Linear(2, 2)),
        lambda m: setattr(m, "extra", nn.Parameter([1.0])),
        lambda m: setattr(m, "first", None),
        lambda m: setattr(m, "scale", None),
        lambda m: setattr(m, "scale", 3.0),
        lambda m: delattr(m, "first"),
        lambda m: m.blocks.append(nn.Linear(4, 4)),
        lambda m: m.blocks.pop(0),
        lambda m: m.blocks.__setitem__(0, nn.Linear(4, 4)),
        lambda m: m.heads.update(variance=nn.Linear(4, 1)),
        lambda m: m.heads.pop("mean"),
        lambda m: m.heads["deep"].reverse(),
        lambda m: m.heads["deep"].append(nn.PReLU()),
        lambda m: m.shifts.clear(),
        lambda m: setattr(m.blocks[0], "inner", nn.PReLU()),
        lambda m: setattr(m.first, "bias", None),
    ],
)
def test_the_listing_follows_every_change_of_the_tree(change):
    """Listings are remembered; after any change they must equal those of a copy, which remembers nothing."""
    model = Nested()
    before = [n for n, _ in model.named_parameters()], list(map(id, model.modules()))
    change(model)
    fresh = copy.deepcopy(model)
    assert [n for n, _ in model.named_parameters()] == [n for n, _ in fresh.named_parameters()]
    assert [n for n, _ in model.named_modules()] == [n for n, _ in fresh.named_modules()]
    assert [n for n, _ in model.named_children()] == [n for n, _ in fresh.named_children()]
    assert ([n for n, _ in model.named_parameters()], list(map(id, model.modules()))) != before


def test_a_change_in_another_thread_is_seen():
    model = mlp()
    list(model.parameters())
    thread = threading.Thread(target=lambda: setattr(model, "3", nn.Linear(2, 2)))
    thread.start()
    thread.join()
    assert len(list(model.parameters())) == 6


def test_a_model_no_longer_used_goes_at_once():
    """What a model remembers about itself does not keep it alive until the cycle collector comes."""
    model = nn.Sequential(mlp(), nn.Residual(nn.Linear(2, 2)))
    model(rows(dtype=np.float32))
    alive = weakref.ref(model)
    gc.disable()
    try:
        del model
        assert alive() is None
    finally:
        gc.enable()


def test_sequential_takes_another_layer_in_the_place_of_one():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), head=nn.Linear(4, 2))
    model[-1] = head = nn.Linear(4, 5)
    assert model.head is head
    assert [name for name, _ in model.named_children()] == ["0", "1", "head"]
    assert model(np.zeros((2, 3), np.float32)).shape == (2, 5)


def test_sequential_by_name_position_and_slice():
    model = nn.Sequential(fc1=nn.Linear(4, 3), act=nn.ReLU(), fc2=nn.Linear(3, 1))
    assert [n for n, _ in model.named_children()] == ["fc1", "act", "fc2"]
    assert model[0] is model.fc1
    assert model[-1] is model.fc2
    assert list(model) == [model.fc1, model.act, model.fc2]
    assert [n for n, _ in model[1:].named_parameters()] == ["fc2.weight", "fc2.bias"]
    assert model[:1].fc1 is model.fc1
    with pytest.raises(IndexError):
        model[3]


def test_printed_names():
    assert repr(nn.Sequential(fc=nn.Linear(4, 3, bias=False), act=nn.LeakyReLU())) == (
        "Sequential(\n  (fc): Linear(4 → 3, no bias)\n  (act): LeakyReLU(0.01)\n)"
    )
    model = nn.Sequential(nn.Flatten(2), nn.Residual(nn.Softmax(1)), nn.LayerNorm((2, 3)), nn.Dropout(0.1))
    assert repr(model) == (
        "Sequential(\n  (0): Flatten(start=2)\n  (1): Residual(\n    (inner): Softmax(axis=1)\n  )\n"
        "  (2): LayerNorm(2, 3)\n  (3): Dropout(p=0.1)\n)"
    )


# Paths on the graph.


def paths(y):
    return [node.path for node in cr.graph(y) if node.primitive is not None]


def test_nodes_know_their_module():
    model = nn.Sequential(nn.Linear(4, 4), nn.Residual(nn.Sequential(nn.Tanh(), nn.Linear(4, 4))))
    y = model(rows(dtype=np.float32))
    assert paths(y) == ["0", "1.inner.0", "1.inner.1", "1"]
    assert paths(cr.exp(y))[-1] == ""


def test_paths_follow_a_change_of_the_tree():
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
    x = rows(dtype=np.float32)
    model(x)
    inner, model.extra = model[0], nn.Linear(4, 4)
    assert paths(model(x)) == ["0", "1", "extra"]
    outer = nn.Sequential(front=model, back=nn.Tanh())
    assert paths(outer(x)) == ["front.0", "front.1", "front.extra", "back"]
    assert paths(model(x)) == ["0", "1", "extra"]
    setattr(model, "0", nn.Residual(inner))
    assert paths(outer(x)) == ["front.0.inner", "front.0", "front.1", "front.extra", "back"]


def test_paths_of_a_copy():
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
    model(rows(dtype=np.float32))
    assert paths(copy.deepcopy(model)(rows(dtype=np.float32))) == ["0", "1"]


def test_a_module_made_on_the_way_goes_by_its_class():
    class Fleeting(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            return nn.Tanh()(self.fc(x))

    assert paths(Fleeting()(rows(dtype=np.float32))) == ["fc", "Tanh"]


# Calls.


def test_what_a_model_takes_in():
    class Shown(nn.Module):
        def __init__(self, dtype):
            self.w = nn.Parameter(np.ones(1, dtype))

        def forward(self, *args, **kwargs):
            return (*args, *kwargs.values())

    model = Shown(np.float64)
    floats = [
        [[1.0, 2.0]],
        np.ones(2, np.float32),
        np.ones(2, np.uint8),
        1.5,
        np.float32(1),
    ]
    for taken in model(*floats, key=[3.0]):
        assert isinstance(taken, cr.Tensor)
        assert taken.dtype == np.float64
    assert model(np.arange(3))[0].dtype == np.int64
    assert model([1, 2])[0].dtype == np.int64
    assert model(np.ones(2, np.uint16))[0].dtype == np.uint16  # ids of tokens
    assert model(np.ones(2, bool))[0].dtype == bool  # a mask
    assert model([np.ones(3), np.zeros(3)])[0].shape == (2, 3)
    settings = (None, True, 3, "mean", {"a": 1}, cr.relu)
    assert model(*settings) == settings
    x = cr.tensor([1.0], requires_grad=True)
    assert model(x)[0] is x
    assert model([x, x])[0][0] is x
    assert isinstance(model((np.ones(2), np.ones(2)))[0], tuple)
    assert Shown(np.float32)(np.ones(2))[0].dtype == np.float32


def test_train_and_eval_reach_every_module():
    model = Nested()
    assert all(m.training for m in model.modules())
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    model.blocks[1].train()
    assert not model.training
    assert model.train() is model
    assert all(m.training for m in model.modules())


def test_a_copy_is_a_model_of_its_own():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4))
    model[2].weight = model[0].weight
    flat = nn.Flat(model.parameters())
    model(rows(dtype=np.float32)).sum().backward()
    twin = copy.deepcopy(model)
    state = model.state_dict()
    assert all(np.array_equal(a, state[n]) for n, a in twin.state_dict().items())
    assert twin[2].weight is twin[0].weight
    assert all(p.grad is None for p in twin.parameters())
    twin_flat = nn.Flat.of(twin.parameters())
    twin(rows(dtype=np.float32)).sum().backward()
    np.testing.assert_array_equal(twin_flat.grads, flat.grads)
    twin_flat.values += 1
    twin(rows(dtype=np.float32))
    assert all(np.array_equal(a, state[n]) for n, a in model.state_dict().items())


# State.


@pytest.mark.parametrize("name", LAYERS)
def test_state_round_trip(name):
    cr.seed(1)
    source, target = (
        nn.Sequential(LAYERS[name](), nn.Linear(4, 3)),
        nn.Sequential(LAYERS[name](), nn.Linear(4, 3)),
    )
    source(rows(dtype=np.float32))
    target.load_state_dict(source.state_dict())
    assert source.state_dict().keys() == target.state_dict().keys()
    for key, array in source.state_dict().items():
        np.testing.assert_array_equal(array, target.state_dict()[key], strict=True)
    x = rows(dtype=np.float32)
    np.testing.assert_array_equal(source.eval()(x).data, target.eval()(x).data)


def test_a_state_is_a_copy():
    model = mlp()
    state = model.state_dict()
    state["0.weight"][...] = 7
    assert not np.any(model[0].weight.data == 7)
    model.load_state_dict(state)
    state["0.weight"][...] = 8
    assert np.all(model[0].weight.data == 7)


def test_a_state_of_another_dtype_is_cast():
    model = mlp()
    model.load_state_dict({name: a.astype(np.float64) for name, a in model.state_dict().items()})
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda s: s.pop("2.bias"), OptionError),
        (lambda s: s.update(other=np.ones(1)), OptionError),
        (lambda s: s.update({"2.bias": np.ones(9)}), ShapeError),
        (lambda s: s.update({"2.bias": ["a", "b"]}), TypeError),
        (lambda s: s.update({"2.bias": None}), TypeError),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(spoil, kind):
    model = mlp()
    before = model.state_dict()
    state = {name: a + 1 for name, a in before.items()}
    spoil(state)
    with pytest.raises(kind):
        model.load_state_dict(state)
    assert all(np.array_equal(a, before[name]) for name, a in model.state_dict().items())


def test_a_list_is_a_state_too():
    model = nn.Linear(2, 1)
    model.load_state_dict({"weight": [[1.0, 2.0]], "bias": cr.tensor([3.0])})
    np.testing.assert_array_equal(model([[1.0, 1.0]]).data, [[6.0]])


# Functional calls.


def with_every_layer():
    """All layers, one after another, with noise-free modes and smooth values at a generic point."""
    cr.seed(3)
    return nn.Sequential(*[make() for make in LAYERS.values()])


def weights(model, dtype=np.float64):
    return {name: np.asarray(p.data, dtype) for name, p in model.named_parameters()}


def test_functional_call_computes_with_the_values_and_leaves_the_model():
    model = Nested()
    before = model.state_dict()
    parts = [id(p) for p in model.parameters()]
    values = {name: w + 0.1 for name, w in weights(model, np.float32).items()}
    y = nn.functional_call(model, values, rows(dtype=np.float32))
    assert [id(p) for p in model.parameters()] == parts
    assert all(np.array_equal(a, before[name]) for name, a in model.state_dict().items())  # running statistics too
    model.load_state_dict({**before, **values})
    np.testing.assert_array_equal(y.data, model(rows(dtype=np.float32)).data)


def test_functional_call_restores_after_an_error():
    model = Nested()
    parts = [id(p) for p in model.parameters()]
    with pytest.raises(ShapeError):
        nn.functional_call(model, weights(model), rows(3, 7))
    assert [id(p) for p in model.parameters()] == parts


def test_functional_call_takes_buffers():
    model = nn.BatchNorm1d(2).eval()
    x = np.ones((1, 2))
    shifted = nn.functional_call(model, {"running_mean": np.array([1.0, 2.0], np.float32)}, x)
    np.testing.assert_allclose(shifted.data, [[0.0, -1.0]], atol=1e-5)
    slope = cr.grad(lambda m: nn.functional_call(model, {"running_mean": m}, x).sum())(np.zeros(2))
    np.testing.assert_allclose(slope, [-1.0, -1.0], rtol=1e-5)
    nn.functional_call(model.train(), {"running_mean": np.zeros(2)}, np.ones((3, 2)))
    np.testing.assert_array_equal(model.running_mean.data, [0, 0])


def test_statistics_that_follow_the_batch_are_constants_in_a_functional_call_too():
    class Followed(nn.Module):
        def __init__(self):
            self.bn = nn.BatchNorm1d(2)

        def forward(self, x):
            self.bn(x)
            return self.bn.running_mean.sum()

    def mean_after(start):
        return nn.functional_call(Followed(), {"bn.running_mean": start}, np.ones((3, 2)))

    np.testing.assert_array_equal(cr.grad(mean_after)(np.zeros(2)), [0, 0])


def test_functional_call_replaces_a_tied_weight_everywhere():
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Tanh(), nn.Linear(4, 4, bias=False)).astype("float64")
    model[2].weight = model[0].weight

    def loss(w, name):
        return nn.functional_call(model, {name: w}, rows()).sum()

    w = model[0].weight.data
    model(rows()).sum().backward()
    for name in ("0.weight", "2.weight"):
        np.testing.assert_allclose(cr.grad(loss)(w, name), model[0].weight.grad.data, rtol=1e-12)


def test_inside_a_functional_call_the_values_are_the_parameters():
    class Penalised(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(2, 1)

        def forward(self, x):
            return self.fc(x).sum() + sum((p * p).sum() for p in self.parameters())

    model = Penalised()
    values = {name: w for name, w in weights(model).items()}
    x = rows(3, 2)
    slope = cr.grad(lambda v: nn.functional_call(model, v, x))(values)
    np.testing.assert_allclose(slope["fc.weight"], x.sum(0, keepdims=True) + 2 * values["fc.weight"], rtol=1e-12)


def test_gradients_by_grad_equal_those_by_backward():
    model = Nested().astype("float64")
    model(rows()).sum().backward()
    slopes = cr.grad(lambda v: nn.functional_call(model, v, rows()).sum())(weights(model))
    for name, p in model.named_parameters():
        np.testing.assert_allclose(slopes[name], p.grad.data, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_every_layer_to_second_order(name):
    """With respect to the input and to all parameters, in training; dense layers before and behind."""
    cr.seed(2)
    model = nn.Sequential(nn.Linear(4, 4), LAYERS[name](), nn.Linear(4, 2)).astype("float64")
    if name in ("Step", "StepStrict", "Sign"):
        model = nn.Sequential(nn.Linear(4, 4), nn.Residual(LAYERS[name]()), nn.Linear(4, 2)).astype("float64")
    cr.check_gradients(lambda v, x: nn.functional_call(model, v, x), weights(model), rows(3), order=2)


def test_gradients_of_one_model_with_all_layers():
    model = with_every_layer()
    flat = [m for m in model if not isinstance(m, (nn.Step, nn.StepStrict, nn.Sign))]
    model = nn.Sequential(*flat, nn.Linear(4, 2)).astype("float64")
    cr.check_gradients(lambda v, x: nn.functional_call(model, v, x), weights(model), rows(5))
