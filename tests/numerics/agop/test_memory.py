"""How much memory there is, and which way of the samples route is taken for it."""

from pathlib import Path

import pytest
import torch

from numerics.agop import _samples_route, kernel_agop
from numerics.agop._memory import free_memory
from numerics.kernels import Laplace


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="memory is asked of Linux only")
def test_free_memory_is_what_the_system_says():
    def available():
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))

    before = available()
    found, after = free_memory(torch.device("cpu")), available()
    assert 0.7 * min(before, after) <= found <= 0.9 * max(before, after)


@pytest.mark.parametrize(("short", "expected"), [(0, "in core"), (1, "in panels")])
def test_all_of_q_is_made_where_it_fits_to_the_byte(short, expected, monkeypatch):
    """Two n × n matrices and an eighth of one, three of the data and two d × d."""
    n, d, taken = 400, 7, []
    for name in ("_in_core", "_in_panels"):
        kept = getattr(_samples_route, name)
        monkeypatch.setattr(_samples_route, name, lambda *a, kept=kept, name=name: (taken.append(name), kept(*a))[1])
    generator = torch.Generator().manual_seed(0)
    X, alpha = (torch.randn(n, columns, generator=generator, dtype=torch.float64) for columns in (d, 3))
    limit = 8 * (2 * n * n + n * n // 8 + 3 * n * d + 2 * d * d)
    kernel_agop(Laplace(3.0), X, alpha, route="samples", memory_limit=limit - short)
    assert taken == ["_" + expected.replace(" ", "_")]
