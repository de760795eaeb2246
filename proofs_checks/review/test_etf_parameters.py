r"""Parameters saved by a classifier that is fixed to a simplex ETF (review, Sections 3.3 and 5).

Counted from the architectures. With features of dimension K besides, the last convolution of ResNet18 has 10 outputs
for 512, and parameters, gradients and the states of the optimiser shrink by the same share; activations are not
counted.
"""

from functools import cache
from typing import Annotated, NamedTuple

import sympy as sp
import torch
from torch import nn

from nct.ledger import Claim, Fixed, Instances, Statement, require_equal
from theory import parameter_counts


class Saved(NamedTuple):
    """Percentages saved, as printed, and the architectures they are of."""

    resnet50: int
    densenet169: int
    shufflenet: int
    resnet18: int
    variant: Annotated[str, Fixed]  # of ShuffleNet: of the first with groups, or of the second with a scale
    features: Annotated[int, Fixed]  # of ResNet18
    classes: Annotated[int, Fixed]


true = Saved(10, 10, 52, 20, "1: 3 groups", 10, 1000)

claim = Claim(
    id="review.etf-parameters",
    title="Parameters that a fixed classifier saves",
    source="review, Sections 3.3 and 5",
    verdict="holds",
    printed=Statement(
        r"\text{fixing the classifier to a simplex ETF removes } \approx 10\,\% \text{ of the trainable parameters of "
        r"ResNet50 and of DenseNet169 with } 1000 \text{ classes, } \approx 52\,\% \text{ of those of ShuffleNet "
        r"(read: the first one with } 3 \text{ groups), and } \approx 20\,\% \text{ of the memory for ResNet18 on "
        r"MNIST (read: of parameters, with features of dimension } K = 10 \text{ as well); figures that end in } 0 "
        r"\text{ to the nearest ten, others to the nearest one: they are } 8.0,\ 11.8,\ 51.5 \text{ and } 20.7",
        true,
    ),
    true_edits={"resnet18: 20 → 21": "20.7 to the nearest one"},
    near_misses={
        "ShuffleNet V2": true._replace(variant="2: 1"),
        "two groups": true._replace(variant="1: 2 groups"),
        "four groups": true._replace(variant="1: 4 groups"),
        "features of their usual dimension": true._replace(features=512),
        "100 classes": true._replace(classes=100),
    },
)


def rounded(share, figure):
    """A share in per cent, to the nearest ten if the figure is such."""
    unit = 10 if figure % 10 == 0 else 1
    return unit * int(sp.floor(100 * share / unit + sp.Rational(1, 2)))


def compare(statement, saved):
    """Compare figures with shares, exact ones, of the architectures."""
    for name in ("resnet50", "densenet169", "shufflenet", "resnet18"):
        require_equal(rounded(saved[name], getattr(statement, name)), getattr(statement, name), "not saved", of=name)


@claim.check("exact", covers="all")
def test_counts(statement):
    K, kind = statement.classes, statement.variant.split()[1]
    first = statement.variant.startswith("1")
    shuffle = parameter_counts.shufflenet(int(kind), K) if first else parameter_counts.shufflenet_v2(kind, K)
    counts = {
        "resnet50": parameter_counts.resnet(50, K),
        "densenet169": parameter_counts.densenet(169, K),
        "shufflenet": shuffle,
    }
    saved = {name: sp.Rational(count.classifier, count.total) for name, count in counts.items()}
    usual = parameter_counts.resnet(18, 10, channels=1)
    narrow = parameter_counts.resnet(18, 10, channels=1, features=statement.features)
    compare(statement, saved | {"resnet18": sp.Rational(usual.total - narrow.body, usual.total)})


def convolution(inputs, outputs, kernel=1, groups=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, groups=groups, bias=False), nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """A block of a residual network, without its strides: they have no parameters."""

    def __init__(self, inputs, inner, outputs, bottleneck):
        super().__init__()
        if bottleneck:
            parts = convolution(inputs, inner), convolution(inner, inner, 3), convolution(inner, outputs)
        else:
            parts = convolution(inputs, inner, 3), convolution(inner, outputs, 3)
        self.body = nn.Sequential(*parts)
        self.shortcut = nn.Identity() if inputs == outputs else convolution(inputs, outputs)


def resnet(counts, factor, channels, last):
    stem, width, blocks = convolution(channels, 64, 7), 64, []
    for stage, count in enumerate(counts):
        inner = 64 << stage
        outputs = [inner * factor] * count
        if stage == 3:
            outputs[-1] = last
        for out in outputs:
            blocks.append(Residual(width, inner, out, factor == 4))
            width = out
    return nn.Sequential(stem, *blocks), width


def densenet(counts):
    width, parts = 64, [convolution(3, 64, 7)]
    for count in counts:
        for _ in range(count):
            parts += [nn.BatchNorm2d(width), convolution(width, 128), nn.Conv2d(128, 32, 3, bias=False)]
            width += 32
        if len(parts) < 3 * sum(counts):
            parts += [nn.BatchNorm2d(width), nn.Conv2d(width, width // 2, 1, bias=False)]
            width //= 2
    return nn.Sequential(*parts, nn.BatchNorm2d(width)), width


def unit(inputs, inner, outputs, groups, first):
    depthwise = convolution(inner, inner, 3, inner)
    return nn.Sequential(convolution(inputs, inner, 1, first), depthwise, convolution(inner, outputs, 1, groups))


def shufflenet(groups):
    width, parts = 24, [convolution(3, 24, 3)]
    start = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}[groups]
    for stage, count in enumerate((4, 8, 4)):
        out = start << stage
        parts.append(unit(width, out // 4, out - width, groups, groups if stage else 1))
        parts += [unit(out, out // 4, out, groups, groups) for _ in range(count - 1)]
        width = out
    return nn.Sequential(*parts), width


def shufflenet_v2(widths, last):
    width, parts = 24, [convolution(3, 24, 3)]
    for out, count in zip(widths, (4, 8, 4), strict=True):
        parts += [convolution(width, width, 3, width), convolution(width, out // 2)]
        parts += [unit(width if i == 0 else out // 2, out // 2, out // 2, 1, 1) for i in range(count)]
        width = out
    return nn.Sequential(*parts, convolution(width, last)), last


@cache
def built(name, argument=None):
    """The parameters of a body, and the dimension of its features, of modules without storage."""
    with torch.device("meta"):
        body, features = {
            "resnet50": lambda: resnet((3, 4, 6, 3), 4, 3, 2048),
            "resnet18": lambda: resnet((2, 2, 2, 2), 1, 1, argument),
            "densenet169": lambda: densenet((6, 12, 32, 32)),
            "shufflenet": lambda: shufflenet(argument),
            "shufflenet_v2": lambda: shufflenet_v2((116, 232, 464), 1024),
        }[name]()
        return sum(p.numel() for p in body.parameters()), features


@claim.check("simulated", covers=Instances("the four networks and their variants, built as modules"))
def test_modules(statement):
    K = statement.classes
    first = statement.variant.startswith("1")
    bodies = {
        "resnet50": built("resnet50"),
        "densenet169": built("densenet169"),
        "shufflenet": built("shufflenet", int(statement.variant.split()[1])) if first else built("shufflenet_v2"),
    }
    saved = {
        name: sp.Rational((features + 1) * K, body + (features + 1) * K) for name, (body, features) in bodies.items()
    }
    usual, features = built("resnet18", 512)
    total = usual + (features + 1) * 10
    compare(statement, saved | {"resnet18": sp.Rational(total - built("resnet18", statement.features)[0], total)})
