"""Networks: parameter counts of facts A.1 and C.2, initialization of A.2."""

from urllib.error import URLError

import pytest
import torch
import torchvision
from torch import nn

from lib.errors import InputError
from lib.models import NETWORKS, build, initialize, prunable_weights, published
from lib.models.layers import Convolution
from lib.models.published import load_backbone
from lib.models.wide_resnet import Activated
from lib.stages import Prune, stage_keys
from lib.stages.algorithms import learning_rate_rewinding
from lib.stages.starting_point import initialize_replicate
from lib.training import Replicate
from papers.lost_in_pruning.recipes import plan


@pytest.mark.parametrize(
    ("name", "classes", "parameters", "prunable"),
    [
        ("lenet-300-100", 10, 266_610, 265_200),
        ("cifar-resnet20", 10, 272_474, 270_896),
        ("cifar-resnet32", 100, 472_756, 470_192),
        ("cifar-resnet18", 10, 11_173_962, 11_164_352),
        ("cifar-resnet18", 100, 11_220_132, 11_210_432),
        ("cifar-vgg16", 10, 14_728_266, 14_710_464),
        ("imagenet-resnet50", 1000, 25_557_032, 25_502_912),
        ("cifar-resnet56", 10, 855_770, 851_504),
        ("cifar-resnet110", 10, 1_730_714, 1_722_416),
        ("cifar-resnet56-bottleneck", 10, 869_530, 856_496),
        ("cifar-resnet110-bottleneck", 10, 1_704_154, 1_679_024),
        ("cifar-vgg16-maximum", 10, 14_728_266, 14_715_584),
        ("cifar-densenet22", 10, 71_686, 69_684),
        ("cifar-wide-resnet16-8", 10, 10_961_370, 10_954_160),
        ("imagenet-resnet18", 1000, 11_689_512, 11_678_912),
        ("imagenet-resnet101", 1000, 44_549_160, 44_442_816),
        ("voc-deeplabv3", 21, 42_004_074, 41_946_816),
    ],
)
def test_counts(name, classes, parameters, prunable):
    network = build(name, classes)
    assert sum(p.numel() for p in network.module.parameters()) == parameters
    assert sum(network.module.get_parameter(n).numel() for n in network.prunable) == prunable


def test_initial_weights_have_the_stated_spread():
    module = build("lenet-300-100").module
    initialize(module, torch.Generator().manual_seed(0))
    weight = module.get_parameter("hidden.0.weight")
    assert weight.std().item() == pytest.approx((2 / 784) ** 0.5, rel=0.01)
    assert module.get_parameter("hidden.0.bias").abs().max() <= 784**-0.5


def test_normalization_scale_is_uniform_or_one():
    module = build("cifar-resnet20").module
    initialize(module, torch.Generator().manual_seed(0))
    scales = torch.cat([p.flatten() for n, p in module.named_parameters() if n.endswith(".1.weight")])
    assert 0 <= scales.min() < 0.05 and 0.95 < scales.max() < 1
    initialize(module, torch.Generator().manual_seed(0), "one")
    assert module.get_parameter("stem.1.weight").eq(1).all()


def test_initialization_depends_on_the_generator_alone():
    first, second = build("cifar-resnet20").module, build("cifar-resnet20").module
    for module in (first, second):
        initialize(module, torch.Generator().manual_seed(3))
    other = second.state_dict()
    assert all(torch.equal(tensor, other[name]) for name, tensor in first.state_dict().items())


def test_whatever_may_be_pruned_is_initialized():
    """Layers of one and three dimensions too, and their normalization (A13)."""
    for seed in (1, 2):
        torch.manual_seed(seed)
        normalization = nn.BatchNorm1d(4)
        module = nn.Sequential(
            nn.Conv1d(2, 4, 3), normalization, nn.Conv3d(1, 2, 2), nn.ConvTranspose2d(3, 2, 2),
            nn.Linear(4, 2),
        )  # fmt: skip
        with torch.no_grad():
            normalization.weight.fill_(seed)
        initialize(module, torch.Generator().manual_seed(0))
        state = {n: t.clone() for n, t in module.state_dict().items()}
        if seed == 1:
            first = state
    assert all(torch.equal(first[name], tensor) for name, tensor in state.items())


def readers_network(classes: int, width: int = 8) -> nn.Module:
    """A network of the reader's own, whose output layer stays whole."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, width), nn.ReLU(), nn.Linear(width, classes))
    module.unpruned = ("3",)  # pyright: ignore[reportArgumentType]
    return module


def test_a_readers_own_network_is_built_by_its_place():
    name = f"{__name__}:readers_network"
    assert build(name, 3).prunable == ("1.weight",) and build(name, 3).units == ()
    assert build(name, 3, width=5).module.get_parameter("3.weight").shape == (3, 5)
    with pytest.raises(InputError, match="network 'no_such:network' cannot be imported"):
        build("no_such:network")


def with_embedding(classes: int) -> nn.Module:
    """A network of the reader's own with values that `initialize` does not draw."""
    return nn.Sequential(nn.Embedding(3, 2), nn.Flatten(), nn.Linear(2, classes))


def test_values_that_are_not_drawn_are_the_same_in_every_process():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = build(f"{__name__}:with_embedding").module.get_parameter("0.weight")
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(build(f"{__name__}:with_embedding").module.get_parameter("0.weight"), first)


def test_any_module_has_prunable_weights():
    module = torch.nn.Sequential(torch.nn.Conv1d(2, 3, 3), torch.nn.LayerNorm(3), torch.nn.Linear(3, 1))
    assert prunable_weights(module) == ("0.weight", "2.weight")
    assert prunable_weights(torch.nn.Linear(2, 2)) == ("weight",)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: build("lenet-300-10"), "lenet-300-100"),
        (lambda: NETWORKS["cifar-densenet22"](depth=21), "depth=21; allowed: 6n \\+ 4"),
        (lambda: NETWORKS["cifar-wide-resnet16-8"](depth=4), "depth=4; allowed: 6n \\+ 4"),
        (lambda: build("imagenet-resnet18", width=8), "'imagenet-resnet18': got an unexpected .* 'width'"),
        (lambda: prunable_weights(torch.nn.ReLU()), "no convolution or linear layer"),
        (lambda: prunable_weights(torch.nn.Sequential(torch.nn.Linear(1, 1)), ("1",)), "unknown layer '1'"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(InputError, match=says):
        call()


def shapes(module: nn.Module) -> list[torch.Size]:
    return [p.shape for p in module.parameters()]


@pytest.mark.parametrize(
    ("name", "scale", "width"),
    [
        ("cifar-resnet20", 0.5, 8),
        ("cifar-vgg16", 0.125, 8),
        ("imagenet-resnet50", 0.25, 16),
        ("cifar-resnet56-bottleneck", 0.25, 4),
        ("cifar-densenet22", 0.5, 6),
        ("cifar-wide-resnet16-8", 0.125, 2),
    ],  # fmt: skip
)
def test_width_scale_narrows_every_layer(name, scale, width):
    assert shapes(build(name, width_scale=scale).module) == shapes(build(name, width=width).module)


def test_narrow_layers_are_rounded_one_by_one_and_never_empty():
    assert [s[0] for s in shapes(build("lenet-300-100", width_scale=0.4).module)][::2] == [120, 40, 10]
    assert [s[0] for s in shapes(build("lenet-300-100", width_scale=0.001).module)][::2] == [1, 1, 10]
    thin = build("imagenet-resnet50", width_scale=0.3).module  # 19.2, 38.4, ...
    assert thin.get_parameter("stem.0.weight").shape[0] == 19
    assert thin.get_parameter("blocks.3.first.0.weight").shape == (38, 77, 1, 1)
    assert thin(torch.rand(2, 3, 32, 32)).shape == (2, 10)


def torchvision_name(name: str) -> str:
    """Return torchvision's name of a tensor of the book's ResNet-50."""
    layer, *rest = name.split(".")
    if layer == "output":
        return f"fc.{rest[0]}"
    if layer == "stem":
        return ("conv1", "bn1")[int(rest[0])] + f".{rest[1]}"
    segments = [(s, b) for s, blocks in enumerate((3, 4, 6, 3), 1) for b in range(blocks)]
    segment, block = segments[int(rest[0])]
    if rest[1] == "shortcut":
        return f"layer{segment}.{block}.downsample.{rest[2]}.{rest[3]}"
    number = ("first", "second", "third").index(rest[1]) + 1
    return f"layer{segment}.{block}.{('conv', 'bn')[int(rest[2])]}{number}.{rest[3]}"


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_resnet50_is_torchvisions(mode):
    """The same state gives the same logits, and every tensor has its counterpart."""
    ours, theirs = build("imagenet-resnet50", 1000).module, torchvision.models.resnet50()
    initialize(ours, torch.Generator().manual_seed(0))
    theirs.load_state_dict({torchvision_name(n): t for n, t in ours.state_dict().items()}, strict=True)
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = theirs.train(mode == "train")(images)
        assert torch.allclose(ours.train(mode == "train")(images), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("replicates", [1, 3])
@pytest.mark.parametrize("batch", [1, 3, 25])
def test_strided_shortcut_is_the_convolution_it_stands_for(batch, replicates):
    """`torch.conv2d` ends the process at some of these shapes in float32; in float64 it is the reference."""
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(batch, replicates * 4, 32, 32, generator=generator)
    weight = torch.randn(replicates, 8, 4, 1, 1, generator=generator, requires_grad=True)
    layer = Convolution(4, 8, 1, stride=2, bias=False)
    del layer.weight
    layer.weight = weight  # pyright: ignore[reportAttributeAccessIssue]
    outputs = layer(maps.contiguous(memory_format=torch.channels_last))
    outputs.square().sum().backward()

    double = weight.detach().double().requires_grad_()
    expected = torch.conv2d(maps.double(), double.flatten(0, 1), stride=2, groups=replicates)
    expected.square().sum().backward()
    torch.testing.assert_close(outputs.double(), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(weight.grad, double.grad, rtol=1e-4, atol=1e-3, check_dtype=False)


def test_segmentation_gives_a_map_of_logits_for_each_class_and_in_training_two():
    module, images = build("voc-deeplabv3", 21).module, torch.rand(2, 3, 33, 33)
    assert {name: maps.shape for name, maps in module.train()(images).items()} == dict.fromkeys(
        ("out", "aux"), torch.Size((2, 21, 33, 33))
    )


@pytest.fixture
def published_weights(monkeypatch):
    """Stands for torchvision's file: a ResNet-50 with numbers of its own."""
    weights = torchvision.models.resnet50().state_dict()
    monkeypatch.setattr("torchvision.models._api.WeightsEnum.get_state_dict", lambda *_, **__: weights)
    published._published.cache_clear()
    yield weights
    published._published.cache_clear()


def test_the_backbone_of_a_segmentation_begins_as_published_and_its_heads_as_drawn(published_weights):
    network, recipe, heads = build("voc-deeplabv3", 21), plan("voc-deeplabv3", "paper").recipe, []
    for seed in (0, 1):
        initialize_replicate(network.module, recipe, Replicate(seed=seed))
        own = network.module.state_dict()
        backbone = {name.removeprefix("backbone."): own[name] for name in own if name.startswith("backbone.")}
        assert backbone.keys() == {name for name in published_weights if not name.startswith("fc.")}
        assert all(torch.equal(tensor, published_weights[name]) for name, tensor in backbone.items())
        heads.append(own["classifier.4.weight"].clone())
    assert not torch.equal(*heads)
    chains = [learning_rate_rewinding(one, 0, Prune()) for one in (recipe, recipe.but(backbone=""))]
    assert len({stage_keys(chain, Replicate(seed=0), "float32")[0] for chain in chains}) == 2, (
        "from scratch is another one"
    )


def test_a_network_without_a_backbone_is_refused(published_weights):
    for name in ("lenet-300-100", "imagenet-resnet18"):
        with pytest.raises(InputError, match='has no part `backbone`.*Allowed: .*voc-deeplabv3 is; leave backbone=""'):
            load_backbone(build(name).module, "imagenet-resnet50")


@pytest.mark.parametrize("problem", [URLError("no address"), RuntimeError("invalid hash value")])
def test_published_weights_that_cannot_be_had_are_named_with_their_place(problem, monkeypatch):
    def fails(*_, **__):
        raise problem

    monkeypatch.setattr("torchvision.models._api.WeightsEnum.get_state_dict", fails)
    published._published.cache_clear()
    with pytest.raises(
        InputError, match=r"nor to be had \(.*\). Put torchvision's file resnet50-0676ba61.pth into .*checkpoints"
    ):
        load_backbone(build("voc-deeplabv3", 21).module, "imagenet-resnet50")


@torch.no_grad()
def test_densenet_hands_on_all_maps_and_adds_its_own():
    """Block by block as the paper has it: what a block computes of the maps so far comes after them."""
    module = build("cifar-densenet22", width=3).module.eval()
    images = torch.rand(2, 3, 8, 8)
    maps = module.stem(images)  # pyright: ignore[reportCallIssue]
    for index, block in enumerate(module.blocks):  # pyright: ignore[reportArgumentType]
        if index in (3, 7):
            maps = block(maps)
            continue
        inner = block.first[2](block.first[0](maps).relu())
        maps = torch.cat([maps, block.second[2](block.second[0](inner).relu())], 1)
    means = module.normalization(maps).relu().mean((2, 3))  # pyright: ignore[reportCallIssue]
    torch.testing.assert_close(module.output(means), module(images))  # pyright: ignore[reportCallIssue]


@torch.no_grad()
def test_wide_resnets_shortcut_reads_what_the_first_convolution_reads():
    module = build("cifar-wide-resnet16-8", width=1).module.eval()
    block, maps = module.get_submodule("blocks.2"), torch.randn(2, 8, 6, 6)
    assert isinstance(block, Activated) and block.shortcut is not None
    read = block.before(maps).relu()
    inner = block.second(block.between(block.first(read)).relu())
    torch.testing.assert_close(block(maps), inner + torch.conv2d(read, block.shortcut.weight, stride=2))


def test_initial_weights_of_lips_vgg_have_a_small_output_layer():
    module = build("cifar-vgg16-maximum", width=16).module
    initialize(module, torch.Generator().manual_seed(0), "one", "zero", "fan-out-small-linear")
    assert module.get_parameter("output.weight").std().item() == pytest.approx(0.01, rel=0.05)
    assert module.get_parameter("layers.1.0.weight").std().item() == pytest.approx((2 / (9 * 16)) ** 0.5, rel=0.05)
    assert not any(p.any() for n, p in module.named_parameters() if n.endswith("bias"))
