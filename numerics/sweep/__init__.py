"""Sweeps of DUFM training over a grid, on any executor, into one file that survives anything.

>>> from numerics import sweep
>>> grid = sweep.Grid(K=[4, 6, 10], L=[3, 4], lam=[1e-3, 5e-3], width=20, seeds=32, steps=100_000)
>>> len(grid.settings()), len(grid)
(12, 384)

`sweep.run("sweep.db", grid)` does it in local processes. On other machines:

* Dask: ``sweep.run(path, grid, executor=distributed.Client(address).get_executor())``
* MPI: put ``with MPIPoolExecutor() as pool: sweep.run(path, grid, executor=pool)`` (from ``mpi4py.futures``) under
  ``if __name__ == "__main__":`` in a script and start it with ``mpiexec -n 8 python -m mpi4py.futures script.py``.

Only the process that calls ``run`` opens the file.
"""

from numerics.sweep._grid import Grid, Task
from numerics.sweep._results import Results
from numerics.sweep._run import Progress, run
from numerics.sweep._store import SweepError
from numerics.sweep._summary import SETTING, summarise
from numerics.sweep._worker import do

__all__ = ["SETTING", "Grid", "Progress", "Results", "SweepError", "Task", "do", "run", "summarise"]
