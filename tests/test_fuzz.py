"""Extreme arguments to every public function: a right value, a clear error or a documented warning, nothing else.

One argument of a good call is replaced by an odd value (tests/support/extremes.py). What comes of it is judged:

* an error is a ValueError or TypeError that names an argument in one line (or one that the docstring announces),
* a value is the one that the same number or array gives in its plainest type, and has no NaN and no infinity unless
  the function is among those for which these are documented,
* a warning is one of the package's own.

Values of data rescaled to the ends of the floats are compared with the rescaled values, closed forms with enclosures.
The functions are those of the packages' `__all__`: one that is not called fails the test.
"""

import importlib
import inspect
import os
import pkgutil

import extremes
import numerics_calls
import outcomes
import pytest
import theory_calls
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import numerics
import theory
from theory import dufm

pytestmark = pytest.mark.any_type

CALLS = [
    *(
        (f"{function.__module__}.{function.__qualname__}", function, usual)
        for function, usual in theory_calls.CALLS + theory_calls.OTHER_CALLS
    ),
    *((f"numerics.{name}", function, usual) for name, function, usual in numerics_calls.CALLS),
]
EXAMPLES = settings.default.max_examples
"""What the profile asks for: a hundred in the ledger's, a hundred times that in ``deep``."""

#: Work of as many steps as is asked for: huge numbers are allowed and take for ever.
WORK = {"steps", "layers", "depth", "iterations", "max_steps", "starts", "restarts", "kicks", "max_points", "p", "q"}
#: Where an infinite or undefined value is documented: runs that diverge, measures that are not defined, no bound.
NOT_FINITE = {
    "theory.dufm.optimum._bounds.attained",  # a Decimal, which may be beyond the floats
    "numerics.descent.train",
    "numerics.descent.polish",
    "numerics.descent.Runs.polish",
    "numerics.metrics.NeuralCollapse",
    "numerics.metrics.collapse_metrics",
    "numerics.metrics.condition_number",
    "numerics.metrics.dnc2",
    "numerics.metrics.balanced_statistics",
    "numerics.metrics.class_means",
    "numerics.kernels.solve_kernel",
    "theory.deep_rfm.collapse_fixed_point.critical_lam_k",
    "theory.generalisation._cdnv.cdnv_bound",  # no bound where the means of a sample are too near
}
#: Functions between the doors, whose arguments their callers have checked; their own tests try every size of data.
INNER = {
    "numerics.linalg",
    "numerics.scaling",
    "numerics.tensors",
    "theory.arguments",
    "theory.labels.check_labels",
    "theory.foreign",
    "theory.overflow",
    "theory.wording",
    "theory.deadline",
    "theory.display",
    "theory.verified",
    "theory.dufm.enclosure.enclose_collapse_at",
    "theory.geometry.edge_sums",
    "theory.ufm.minimise_scale",
    "theory.ufm.log_exact",
    "theory.ufm.one_of",
    "theory.ufm.strong_collapse.loss_scale",
    "theory.ufm.strong_collapse.reduced",
    "theory.ufm.strong_collapse.symmetric_operator",
    "theory.coq.expression",
    "theory.coq.refutation",
    "theory.coq.script",
    "theory.coq.translate",
    "theory.deep_rfm.collapse_convergence.bound_pieces",
    "theory.deep_rfm.collapse_convergence.smoothing",
    "theory.deep_rfm.relu_kernel.tail_bound",
    "numerics.descent.flushed_denormals",
    "numerics.descent.tiles",
    "numerics.files.check_path",
    "numerics.kernels.distances_about",
    "numerics.kernels.extreme_eigenvalue",
    "numerics.kernels.coincidence_radius",
    "numerics.metrics.between_basis",
    "numerics.metrics.centred_means",
    "numerics.metrics.defined_measures",
    "numerics.metrics.within_along",
}
#: Functions without arguments, and those that write or fetch files, whose failures have tests of their own.
ELSEWHERE = {
    "theory.dufm.best_known_table",
    "theory.dufm.graphs.best_known_table",
    "theory.ufm.two_layers.hexagon",
    "numerics.data.cifar10",
    "numerics.data.digits",
    "numerics.data.mnist",
    "numerics.data.mnist1d",
    "numerics.data.svhn",
    "numerics.files.replacing",
    "numerics.sweep.do",
    "numerics.sweep.run",
}
#: What an error calls an argument where the function's name for it is its own.
ALIASES = {
    "lam": ["lams"],
    "Z": ["H"],  # Z + b, the outputs
    "X": ["bandwidth"],
    "initial": ["H_1", "W_1", "W_2"],
    "parameters": ["H_1", "W_1", "W_2"],
    "spec": ["activation"],
}


def odd(usual, draw):
    """An argument of the call and an odd value for it."""
    name = draw(
        st.sampled_from([name for name, good in usual.items() if name != "self" and not isinstance(good, bool)])
    )
    values = extremes.variants(usual[name])
    label = draw(st.sampled_from(sorted(values)))
    return name, label, values[label]


def judge(label, function, usual, name, value):
    """Call and judge; `Fault` if the outcome is none that is promised."""
    arguments = {key: good.clone() if hasattr(good, "clone") else good for key, good in usual.items()}
    plain = extremes.plain(value, usual[name])  # before the call: `solve_kernel` overwrites its matrix
    found = outcomes.outcome(function, arguments | {name: value}, [name, *ALIASES.get(name, [])])
    if found.error is not None:
        return
    if label not in NOT_FINITE:
        wrong = [number for number in outcomes.numbers(found.value) if number - number != 0.0]
        assert not wrong, f"{label}({name} = {value!r:.80}) has the value {wrong[0]}"
    if plain is not None:
        arguments = {key: good.clone() if hasattr(good, "clone") else good for key, good in usual.items()}
        again = outcomes.outcome(function, arguments | {name: plain}, [name])
        assert again.error is None, f"{label}({name} = {plain!r:.80}): {again.error}, unlike {value!r:.80}"
        rough = "16" in str(getattr(value, "dtype", "")) or "float32" in str(getattr(value, "dtype", ""))
        assert outcomes.same(outcomes.parts(found.value), outcomes.parts(again.value), rtol=1e-2 if rough else 1e-11)
        outcomes.COUNT["compared"] += 1


@pytest.mark.parametrize(("label", "function", "usual"), CALLS, ids=[call[0] for call in CALLS])
def test_every_outcome_is_one_that_is_promised(label, function, usual):
    @settings(
        max_examples=max(16, EXAMPLES // 6), deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.data())
    def check(data):
        name, _, value = odd(usual, data.draw)
        if name in WORK and (extremes.plain(value, 1) or 0) >= 4:
            return
        judge(label, function, usual, name, value)

    check()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    K=st.sampled_from([2, 6, 7, 10, 1000, 10**6]),
    L=st.sampled_from([2, 3, 4, 9, 40]),
    n=st.sampled_from([1, 2, 10**9]),
    exponent=st.integers(-300, 0),
    solution=st.sampled_from(["dnc", "srg"]),
)
def test_closed_forms_lie_in_their_enclosures(K, L, n, exponent, solution):
    lam = f"1e{exponent}"
    outcomes.COUNT["calls"] += 2
    loss = getattr(dufm, f"{solution}_loss")
    try:
        bounds = dufm.enclose_loss(solution, K, L, lam, n=n, digits=20)
    except ValueError as error:
        with pytest.raises(ValueError, match=str(error).split(";")[0].split(" ")[0]):
            loss(K, L, lam, n=n)
        return
    except TimeoutError:
        return
    assert loss(K, L, lam, n=n) == pytest.approx(float(bounds.lower), rel=1e-11, abs=1e-320)


def public(package):
    """The names of a package's public functions and classes, by way of every module's `__all__`."""
    modules = [package.__name__, *(i.name for i in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))]
    for module in modules:
        if not any(part.startswith("_") for part in module.split(".")):
            for name in importlib.import_module(module).__all__:
                value = getattr(importlib.import_module(module), name)
                if inspect.isfunction(value):
                    yield f"{module}.{name}", value


@pytest.mark.parametrize("package", [theory, numerics], ids=lambda package: package.__name__)
def test_every_public_function_is_called(package):
    called = {getattr(function, "__func__", function) for _, function, _ in CALLS}
    names = {label for label, *_ in CALLS}
    missing = {
        name
        for name, function in public(package)
        if function not in called
        and name not in names
        and name not in ELSEWHERE
        and not any(name.startswith(inner) for inner in INNER)
    }
    assert not missing, f"call them in tests/support: {sorted(missing)}"


def test_there_were_calls_enough(request):
    """Two thousand at least, counted where one process has run the whole file."""
    assert len(CALLS) * max(16, EXAMPLES // 6) >= 2000
    here = [item for item in request.session.items if item.fspath == request.node.fspath]
    if len(here) > len(CALLS) and "PYTEST_XDIST_WORKER" not in os.environ:
        assert outcomes.COUNT["calls"] >= 2000
        assert outcomes.COUNT["compared"] >= 200
