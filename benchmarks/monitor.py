"""What a measurement of the collapse monitor costs: its share of an epoch, and its memory against the samples.

    python benchmarks/monitor.py

An epoch of training, by stochastic gradient descent with batches of 128, is timed against one measurement of all ReLU
layers on the same data, with one pass and with two, for an MLP and for a ResNet-20 on random images of CIFAR's size.
Memory is what tensors hold between two batches, data not counted.
"""

import gc

import record
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from numerics.networks import CollapseMonitor

CLASSES = 10


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1, self.relu1 = nn.BatchNorm2d(after), nn.ReLU()
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2, self.relu2 = nn.BatchNorm2d(after), nn.ReLU()
        straight = stride == 1 and before == after
        self.way = nn.Identity() if straight else nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(y + self.way(x))


def resnet20() -> nn.Sequential:
    blocks: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    for before, after, stride in [(16, 16, 1), (16, 32, 2), (32, 64, 2)]:
        blocks += [Block(before, after, stride), Block(after, after, 1), Block(after, after, 1)]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, CLASSES))


def mlp(width: int = 512) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten(), nn.Linear(784, width), nn.ReLU()]
    for _ in range(3):
        layers += [nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, CLASSES))


def loader(shape: tuple[int, ...], samples: int) -> DataLoader:
    torch.manual_seed(0)
    X, y = torch.randn(samples, *shape), torch.arange(samples) % CLASSES
    return DataLoader(TensorDataset(X, y), batch_size=128, shuffle=True)


def epoch(model: nn.Module, data: DataLoader) -> None:
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for x, y in data:
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()


def overhead(model: nn.Module, data: DataLoader, repeats: int) -> dict[str, object]:
    trained = record.seconds(lambda: epoch(model, data), repeats)
    result: dict[str, object] = {"epoch_seconds": trained}
    for name, options in {
        "one pass, no covariance": {"passes": 1, "scatter_up_to": 0},
        "two passes, no covariance": {"passes": 2, "scatter_up_to": 0},
        "two passes, covariance up to 1024": {"passes": 2},
    }.items():
        monitor = CollapseMonitor(model, nn.ReLU, CLASSES, pooling="mean", **options)
        spent = record.seconds(lambda monitor=monitor: monitor.measure(data), repeats)
        result[name] = {"seconds": spent, "share_of_an_epoch": spent["median"] / trained["median"]}
    return result


def memory(model: nn.Module, samples: int) -> int:
    """Bytes of tensors alive at the end of a pass, beyond those alive before it."""
    X, y = torch.randn(128, 784), torch.arange(128) % CLASSES

    def alive() -> int:
        gc.collect()
        return sum(t.numel() * t.element_size() for t in gc.get_objects() if type(t) is torch.Tensor)

    held: list[int] = []

    class Stream:
        def __iter__(self):
            for _ in range(samples // 128):
                yield X, y
            held.append(alive())

    monitor = CollapseMonitor(model, nn.ReLU, CLASSES, scatter_up_to=0)
    before = alive()
    monitor.measure(Stream())
    return max(held) - before


def main() -> None:
    parser = record.parser(__doc__)
    parser.add_argument("--samples", type=int, default=2048, help="of the MLP; the ResNet has a quarter")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    results = {
        "samples": arguments.samples,
        "mlp": overhead(mlp(), loader((784,), arguments.samples), arguments.repeats),
        "resnet20": overhead(resnet20(), loader((3, 32, 32), arguments.samples // 4), arguments.repeats),
        "bytes_by_samples": {n: memory(mlp(), n) for n in (1024, 4096, 16384)},
    }
    print(record.write("monitor", results, "torch", "numpy"))
    for name in ("mlp", "resnet20"):
        for setting, found in results[name].items():
            if "share_of_an_epoch" in found:
                print(f"{name}, {setting}: {found['share_of_an_epoch']:.2f} of an epoch")
    print("bytes by samples:", results["bytes_by_samples"])


if __name__ == "__main__":
    main()
