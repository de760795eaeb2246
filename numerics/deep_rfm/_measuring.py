"""The time and the memory that steps take."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["peak_memory", "timed"]


@contextmanager
def timed(timings: dict[str, float], name: str, device: torch.device) -> Iterator[None]:
    """Add the seconds that the block takes to an entry, with the device's work done.

    Parameters
    ----------
    timings : dict
        Seconds by step.
    name : str
        The step.
    device : torch.device
        Whose work it is.
    """
    start = _now(device)
    yield
    timings[name] = timings.get(name, 0.0) + _now(device) - start


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def peak_memory(device: torch.device) -> int | None:
    """Bytes: on a GPU the most that torch had allocated since it was reset, else the process's largest resident set.

    Parameters
    ----------
    device : torch.device
        The device.

    Returns
    -------
    int or None
        None where the system does not tell a process its largest resident set, as on Windows.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
