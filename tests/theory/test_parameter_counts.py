"""Counts of parameters against published totals of the reference implementations, and wrong input."""

import pytest

from theory import parameter_counts as counts

#: Totals with 1000 classes, as the model pages of a well-known library of networks print them.
PUBLISHED = [
    (counts.resnet, 18, 11_689_512),
    (counts.resnet, 34, 21_797_672),
    (counts.resnet, 50, 25_557_032),
    (counts.resnet, 101, 44_549_160),
    (counts.resnet, 152, 60_192_808),
    (counts.densenet, 121, 7_978_856),
    (counts.densenet, 169, 14_149_480),
    (counts.densenet, 201, 20_013_928),
    (counts.shufflenet_v2, 0.5, 1_366_792),
    (counts.shufflenet_v2, 1, 2_278_604),
    (counts.shufflenet_v2, "1.5", 3_503_624),
    (counts.shufflenet_v2, 2, 7_393_996),
]


@pytest.mark.parametrize(("function", "variant", "total"), PUBLISHED)
def test_published_totals(function, variant, total):
    assert function(variant).total == total


@pytest.mark.parametrize(("groups", "million"), [(1, 1.5), (2, 1.7), (3, 1.9), (4, 2.0), (8, 2.4)])
def test_first_shufflenet(groups, million):
    found = counts.shufflenet(groups)
    assert found.classifier == (4 * counts.SHUFFLENET_WIDTHS[groups] + 1) * 1000
    assert round(found.total / 1e6, 1) == million


def test_features():
    usual = counts.resnet(18, 10, channels=1)
    assert usual == counts.resnet(18, 10, channels=1, features=512)
    narrow = counts.resnet(18, 10, channels=1, features=10)
    # one convolution 512 → 10 in place of 512 → 512, its normalisation, and a projection of the shortcut
    assert usual.body - narrow.body == 9 * 512 * 502 + 2 * 502 - (512 * 10 + 20)
    assert narrow.classifier == 110
    assert counts.resnet(50, features=10).body < counts.resnet(50).body


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: counts.resnet(20), "depth = 20"),
        (lambda: counts.resnet(18, 1), "classes = 1"),
        (lambda: counts.resnet(18, features=0), "features = 0"),
        (lambda: counts.densenet(100), "depth = 100"),
        (lambda: counts.shufflenet(5), "groups = 5"),
        (lambda: counts.shufflenet_v2(3), "scale = 3"),
    ],
)
def test_wrong_values(call, message):
    with pytest.raises(ValueError, match=message):
        call()
