"""Seconds of a fit, step by step, and what is handed on to the AGOP."""

import pytest
import torch

from numerics.deep_rfm import _measuring, _root
from numerics.kernels import Laplace


def test_seconds_of_a_step_add_up(monkeypatch):
    clock = iter([10.0, 12.0, 20.0, 25.0])
    monkeypatch.setattr(_measuring, "_now", lambda device: next(clock))
    seconds = {}
    for _ in range(2):
        with _measuring.timed(seconds, "solve", torch.device("cpu")):
            pass
    assert seconds == {"solve": 7.0}


@pytest.mark.parametrize("route", ["features", "samples", "auto"])
def test_the_route_that_is_asked_for_is_taken(route, monkeypatch):
    asked = []
    kept = _root.kernel_agop
    monkeypatch.setattr(_root, "kernel_agop", lambda *a, **k: (asked.append(k["route"]), kept(*a, **k))[1])
    X = torch.eye(4, dtype=torch.float64)
    _root.agop_root(Laplace(1.0), X, X, route=route)
    assert asked == [route]
