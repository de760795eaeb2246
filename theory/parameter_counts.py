"""Trainable parameters of networks for images, counted from their architectures, and the share of the classifier."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from typing import NamedTuple

from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_choice, check_exact, check_integer
from theory.wording import wrong_value

__all__ = ["ParameterCount", "densenet", "resnet", "shufflenet", "shufflenet_v2"]

SHUFFLENET_WIDTHS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
SHUFFLENET_V2_WIDTHS = {
    Fraction(1, 2): (48, 96, 192, 1024),
    Fraction(1): (116, 232, 464, 1024),
    Fraction(3, 2): (176, 352, 704, 1024),
    Fraction(2): (244, 488, 976, 2048),
}
BLOCKS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
UNITS = (4, 8, 4)


class ParameterCount(NamedTuple):
    """Numbers of trainable parameters, without and in the last layer.

    Attributes
    ----------
    body : int
        Weights of convolutions, and scales and shifts of batch normalisations.
    classifier : int
        Weights and biases of the last layer.
    """

    body: int
    classifier: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.body + self.classifier

    @property
    def share(self) -> float:
        """Share of the classifier: what a fixed one saves."""
        return self.classifier / self.total


def resnet(
    depth: IntegerLike,
    classes: IntegerLike = 1000,
    *,
    channels: IntegerLike = 3,
    features: IntegerLike | None = None,
) -> ParameterCount:
    """Parameters of a residual network, with its last block's output as wide as one likes.

    Parameters
    ----------
    depth : int
        Layers with weights: 18, 34, 50, 101 or 152.
    classes : int
        K, at least 2.
    channels : int
        Of the images.
    features : int, optional
        Dimension of the features, at least 1: 512 by default, 2048 from 50 layers on. Another one is that of the last
        convolution, and of a projection on the shortcut beside it.

    Returns
    -------
    ParameterCount

    Raises
    ------
    ValueError
        If the depth is unknown or a number is too small.
    TypeError
        If an argument is no integer.

    References
    ----------
    K. He et al., Deep residual learning for image recognition (2016); review, Section 3.3 and 5.

    Examples
    --------
    >>> resnet(50).total, round(resnet(50).share, 4)
    (25557032, 0.0802)
    """
    blocks = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
    layers = _one_of("depth", depth, blocks)
    wide = 1 if layers < 50 else 4
    K, channels = _size("classes", classes, 2), _size("channels", channels)
    last = 512 * wide if features is None else _size("features", features)
    body, width = _normalised(channels, 64, 7), 64
    for stage, count in enumerate(blocks[layers]):
        inner = 64 * 2**stage
        for block in range(count):
            out = last if (stage, block) == (3, count - 1) else wide * inner
            kernels = [(width, inner, 3), (inner, out, 3)]
            if wide == 4:
                kernels = [(width, inner, 1), (inner, inner, 3), (inner, out, 1)]
            body += sum(_normalised(*kernel) for kernel in kernels)
            body += _normalised(width, out, 1) if width != out else 0
            width = out
    return _with_classifier(body, width, K)


def densenet(depth: IntegerLike, classes: IntegerLike = 1000) -> ParameterCount:
    """Parameters of a densely connected network with growth 32.

    Parameters
    ----------
    depth : int
        Layers with weights: 121, 169 or 201.
    classes : int
        K, at least 2.

    Returns
    -------
    ParameterCount

    Raises
    ------
    ValueError
        If the depth is unknown or K is below 2.
    TypeError
        If an argument is no integer.

    References
    ----------
    G. Huang et al., Densely connected convolutional networks (2017); review, Section 3.3.

    Examples
    --------
    >>> densenet(169).total, round(densenet(169).share, 4)
    (14149480, 0.1177)
    """
    counts, K = BLOCKS[_one_of("depth", depth, BLOCKS)], _size("classes", classes, 2)
    body, width = _normalised(3, 64, 7), 64
    for stage, count in enumerate(counts):
        for _ in range(count):  # each layer normalises what it gets
            body += 2 * width + _normalised(width, 128, 1) + 9 * 128 * 32
            width += 32
        if stage < 3:
            body += 2 * width + width * (width // 2)
            width //= 2
    return _with_classifier(body + 2 * width, width, K)


def shufflenet(groups: IntegerLike, classes: IntegerLike = 1000) -> ParameterCount:
    """Parameters of the first ShuffleNet at its full width, with convolutions in groups.

    Parameters
    ----------
    groups : int
        Groups of the pointwise convolutions: 1, 2, 3, 4 or 8.
    classes : int
        K, at least 2.

    Returns
    -------
    ParameterCount

    Raises
    ------
    ValueError
        If the number of groups is none of these or K is below 2.
    TypeError
        If an argument is no integer.

    References
    ----------
    X. Zhang et al., ShuffleNet (2018), table 1; review, Section 5.

    Examples
    --------
    >>> round(shufflenet(3).share, 4)
    0.5151
    """
    parts, K = _one_of("groups", groups, SHUFFLENET_WIDTHS), _size("classes", classes, 2)
    body, width = _normalised(3, 24, 3), 24
    for stage, count in enumerate(UNITS):
        out = SHUFFLENET_WIDTHS[parts] * 2**stage
        for unit in range(count):
            start = 1 if (stage, unit) == (0, 0) else parts
            new = out - width if unit == 0 else out  # the first unit of a stage appends to its pooled input
            body += _normalised(width, out // 4, 1, start) + _depthwise(out // 4)
            body += _normalised(out // 4, new, 1, parts)
            width = out
    return _with_classifier(body, width, K)


def shufflenet_v2(scale: RealLike, classes: IntegerLike = 1000) -> ParameterCount:
    """Parameters of the second ShuffleNet, with channels split in two.

    Parameters
    ----------
    scale : float
        Its width: 0.5, 1, 1.5 or 2.
    classes : int
        K, at least 2.

    Returns
    -------
    ParameterCount

    Raises
    ------
    ValueError
        If the scale is unknown or K is below 2.
    TypeError
        If K is no integer, or the scale no number.

    References
    ----------
    N. Ma et al., ShuffleNet V2 (2018), table 5.

    Examples
    --------
    >>> shufflenet_v2(1).total, round(shufflenet_v2(1).share, 4)
    (2278604, 0.4498)
    """
    exact = check_exact("scale", scale)
    if exact not in SHUFFLENET_V2_WIDTHS:
        raise wrong_value("scale", scale, "scale must be 0.5, 1, 1.5 or 2")
    *widths, last = SHUFFLENET_V2_WIDTHS[exact]
    K = _size("classes", classes, 2)
    body, width = _normalised(3, 24, 3), 24
    for out, count in zip(widths, UNITS, strict=True):
        half = out // 2
        body += _depthwise(width) + _normalised(width, half, 1)  # the shortcut of the first unit
        for inputs in [width] + [half] * (count - 1):
            body += _normalised(inputs, half, 1) + _depthwise(half) + _normalised(half, half, 1)
        width = out
    return _with_classifier(body + _normalised(width, last, 1), last, K)


def _one_of(name: str, value: IntegerLike, choices: Collection[int]) -> int:
    return check_choice(name, check_integer(name, value, at_least=1), choices)


def _size(name: str, value: IntegerLike, at_least: int = 1) -> int:
    return check_integer(name, value, at_least=at_least, at_most=LARGEST_SIZE)


def _normalised(inputs: int, outputs: int, kernel: int, groups: int = 1) -> int:
    """A convolution without bias, and a batch normalisation."""
    return inputs // groups * outputs * kernel**2 + 2 * outputs


def _depthwise(width: int) -> int:
    return _normalised(width, width, 3, width)


def _with_classifier(body: int, features: int, classes: int) -> ParameterCount:
    return ParameterCount(body, (features + 1) * classes)
