"""How many rows of a matrix fit the memory there is."""

import math
from collections.abc import Iterator
from pathlib import Path

import torch

__all__ = ["block_size", "blocks", "free_memory"]

_MINIMUM_PANEL = 64


def blocks(n: int, size: int, *, start: int = 0) -> Iterator[slice]:
    """Slices of `size` rows (the last of fewer) from `start` to n."""
    for first in range(start, n, size):
        yield slice(first, min(first + size, n))


def block_size(limit: int, fixed: int, per_row: int, per_square: float, most: int) -> int:
    """The largest block b with fixed + per_row·b + per_square·b² ≤ limit.

    Parameters
    ----------
    limit : int
        Bytes of working memory.
    fixed, per_row : int
        Bytes that are needed whatever the block, and for each of its rows.
    per_square : float
        Bytes for each pair of its rows.
    most : int
        The largest block of use.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If the limit is too small for 64 rows (or for `most`, where that is less).
    """
    least = min(most, _MINIMUM_PANEL)
    needed = fixed + per_row * least + int(per_square * least * least)
    if needed > limit:
        raise ValueError(
            f"memory_limit = {limit} bytes is too small: {needed} bytes are needed for the smallest block, {least} rows"
        )
    room = float(min(limit - fixed, 1 << 62))  # beyond any machine's
    if per_square > 0.0:
        largest = (math.sqrt(per_row**2 + 4.0 * per_square * room) - per_row) / (2.0 * per_square)
    else:
        largest = room / per_row
    return max(least, min(most, int(largest)))


def free_memory(device: torch.device) -> int:
    """Four fifths of the memory that is free on the device, in bytes."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(0.8 * (free + cached))
    return int(0.8 * _available_host_memory())


def _available_host_memory() -> int:
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 8 << 30  # no way to ask: eight gibibytes
