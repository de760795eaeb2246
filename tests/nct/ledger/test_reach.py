"""How far verdicts reach: what checks say they cover, and what the ledger makes of it."""

import json

import pytest

from nct.ledger import Claim, Instances, Part, Reach, Search, Statement, reach, read_claims, read_ledger, short_scope
from nct.ledger._reach import NOT_SAID, All, Coverage, coverages

pytest_plugins = ["pytester"]

CLAIM = """
from nct.ledger import Claim, Instances, Part, Search, Statement, require

claim = Claim(
    id="example.sum",
    title="Sum of the first integers",
    source="example, Theorem 1",
    verdict="{verdict}",
    printed=Statement("m(m+1)/2", lambda m: m * (m {sign} 1) // 2, parts={parts}),
    near_misses={{"one less": lambda m: m * (m + 2) // 3}},
    {more}
)


@claim.check("exact"{first})
def test_adding_up(statement):
    for m in range(9):
        require(statement(m) == sum(range(m + 1)), "the sum differs", m=m)


@claim.check("{kind}"{second})
def test_steps(statement):
    for m in range(1, 9):
        require(statement(m) - statement(m - 1) == m, "wrong step", m=m)
"""


@pytest.fixture
def run(pytester):
    """Run a ledger of one claim; its entry, what is printed, and pytest's result."""

    def run(first="", second="", *options, verdict="holds", sign="+", parts=(), more="", ini="", kind="derived"):
        pytester.makeini(f"[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\n{ini}\n")
        path = pytester.path / "proofs_checks" / "example" / "test_sum.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        covers = [f", covers={covers}" if covers else "" for covers in (first, second)]
        text = CLAIM.format(
            verdict=verdict, sign=sign, parts=parts, first=covers[0], second=covers[1], more=more, kind=kind
        )
        path.write_text(text, encoding="utf-8")
        result = pytester.runpytest_inprocess("--ledger", "ledger.json", "proofs_checks", *options)
        entries = read_ledger(pytester.path / "ledger.json").claims
        return entries[0] if entries else None, result.stdout.str(), result

    return run


@pytest.mark.parametrize(
    ("covered", "parts", "expected"),
    [
        ([], (), None),
        ([Search("40 starts")], (), Reach("searched")),
        ([Search("40 starts"), NOT_SAID], (), Reach("tested")),
        ([Part("L = 2"), Instances("L < 9")], (), Reach("proved in part", ("L = 2",))),
        ([Part("L = 2"), Part("L > 2"), Part("L = 2")], (), Reach("proved in part", ("L = 2", "L > 2"))),
        ([Part("L = 2"), Part("L > 2")], ("L = 2", "L > 2"), Reach("proved")),
        ([Part("L = 2")], ("L = 2", "L > 2"), Reach("proved in part", ("L = 2",))),
        ([All(), Search("40 starts")], ("L = 2", "L > 2"), Reach("proved")),
    ],
)
def test_what_checks_cover_together(covered, parts, expected):
    assert reach(covered, parts) == expected


@pytest.mark.parametrize("one", [All(), Part("L = 2"), Instances("K ≤ 8"), Search("L-BFGS")])
def test_coverage_travels_as_plain_data(one):
    assert Coverage.from_json(json.loads(json.dumps(one.to_json()))) == one


@pytest.mark.parametrize(
    ("covers", "error", "message"),
    [
        ("most", ValueError, "covers = 'most'; covers must be 'all'"),
        ([], ValueError, "covers must name what is covered"),
        (3, TypeError, "covers = 3 is a int; covers must be"),
        (Reach("proved"), TypeError, "is a Reach"),
    ],
)
def test_what_covers_cannot_be(covers, error, message):
    with pytest.raises(error, match=message):
        coverages(covers)


def test_a_coverage_says_something():
    with pytest.raises(ValueError, match="must say what is covered"):
        Instances("  ")
    with pytest.raises(TypeError, match="must be of a string"):
        Part(3)


def claim(verdict="holds", **fields):
    return Claim(id="a.b", title="t", source="s", verdict=verdict, near_misses={}, **fields)


@pytest.mark.parametrize("kind", ["property", "simulated", "optimised"])
@pytest.mark.parametrize("covers", ["all", Part("L = 2"), [Instances("K ≤ 8"), "all"]])
def test_samples_prove_nothing(kind, covers):
    with pytest.raises(ValueError, match=f"of evidence that is {kind}, which proves nothing"):
        claim(printed=Statement("", 0)).check(kind, covers=covers)


@pytest.mark.parametrize("verdict", ["observed", "fails"])
def test_experiments_and_failures_have_no_reach(run, verdict):
    with pytest.raises(ValueError, match=f"of a claim with the verdict '{verdict}'"):
        claim(verdict, printed=Statement("", 0)).check("exact", covers="all")
    entry, _, result = run(verdict=verdict, sign="+" if verdict == "observed" else "-")
    assert result.ret == 0
    assert entry["reach"] is None


def test_a_part_is_one_of_those_that_the_standing_statement_has():
    split = claim(printed=Statement("", 0, parts=["equal", "unequal"]))
    split.check("exact", covers=Part("equal"))
    with pytest.raises(ValueError, match="must name parts of the statement: equal, unequal"):
        split.check("exact", covers=Part("odd"))
    repaired = claim(
        "amended", printed=Statement("", 0, parts=["equal"]), amended=Statement("", 1, parts=["odd", "even"])
    )
    repaired.check("exact", covers=Part("odd"))
    with pytest.raises(ValueError, match="must name parts of the statement: odd, even"):
        repaired.check("exact", covers=Part("equal"))
    with pytest.raises(TypeError, match="parts must be a list"):
        Statement("", 0, parts="equal")


@pytest.mark.parametrize(
    ("first", "second", "parts", "scope", "proved"),
    [
        ('"all"', "", (), "proved", []),
        ('Part("m even")', 'Instances("m < 9")', (), "proved in part", ["m even"]),
        ('Part("m even")', 'Part("m odd")', ("m even", "m odd"), "proved", []),
        ('Instances("m < 9")', 'Search("m < 9")', (), "tested", []),
        ('Search("m < 9")', 'Search("m < 9")', (), "searched", []),
        ("", "", (), "tested", []),
    ],
)
def test_reach_in_the_ledger(run, first, second, parts, scope, proved):
    entry, printed, result = run(first, second, parts=parts)
    assert result.ret == 0
    assert entry["reach"] == {"scope": scope, "parts": proved, "kernel": []}
    result.stdout.fnmatch_lines([f"example.sum * holds * {short_scope(scope)} * derived exact * 1 of 1"])
    assert ("proved in part:" in printed) == bool(proved)
    if proved:
        result.stdout.fnmatch_lines(["proved in part:", "  example.sum: m even"])


def test_what_did_not_run_or_did_not_pass_proves_nothing(run):
    assert run('"all"', 'Instances("m < 9")')[0]["reach"]["scope"] == "proved"
    assert run('"all"', 'Instances("m < 9")', "-m", "derived")[0]["reach"]["scope"] == "tested"
    entry, _, result = run('"all"', 'Instances("m < 9")', sign="-")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert entry["reach"] is None


def test_the_reach_of_an_amended_claim_is_that_of_the_amended_statement(run):
    more = 'amended=Statement("right", lambda m: m * (m + 1) // 2, parts=["m even", "m odd"]),'
    entry, printed, result = run('Part("m even")', "", verdict="amended", sign="-", more=more)
    assert result.ret == 0
    assert entry["reach"] == {"scope": "proved in part", "parts": ["m even"], "kernel": []}
    assert entry["counterexample_is"] == "exact"
    assert "(numerical)" not in printed


def test_a_numerical_counterexample_is_said_to_be_numerical(run):
    entry, printed, _ = run(verdict="fails", sign="-", kind="simulated")
    assert entry["counterexample_is"] == "exact"  # the exact check's comes first
    entry, printed, _ = run("", "", "-m", "simulated", verdict="fails", sign="-", kind="simulated")
    assert entry["counterexample_is"] == "numerical"
    assert "example.sum: wrong step: m = 1 (numerical)" in printed


def test_a_check_that_does_not_say_what_it_covers(run):
    entry, printed, result = run('"all"', "")
    assert result.ret == 0
    assert "LedgerWarning: example.sum: not said what is covered by test_steps" in printed
    assert entry["evidence"][1]["covers"] == [{"extent": "instances", "text": "not said"}]
    entry, printed, result = run('"all"', "", ini="ledger_require_covers = true")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "example.sum: not said what is covered by test_steps" in printed
    entry, printed, result = run('"all"', 'Instances("m < 9")', ini="ledger_require_covers = true")
    assert result.ret == 0
    assert "LedgerWarning" not in printed


def test_coverage_is_read_without_importing(tmp_path):
    path = tmp_path / "example" / "test_sum.py"
    path.parent.mkdir()
    first = ', covers=[Part("m even"), Instances("m < 9")]'
    text = CLAIM.format(
        verdict="holds",
        sign="+",
        parts=["m even", "m odd"],
        first=first,
        second=', covers="all"',
        more="",
        kind="exact",
    )
    path.write_text(text + "\nraise RuntimeError('imported')\n", encoding="utf-8")
    (listing,) = read_claims(tmp_path)
    assert listing.claim.printed.parts == ("m even", "m odd")
    assert listing.checks["test_adding_up"].covers == (Part("m even"), Instances("m < 9"))
    assert listing.checks["test_steps"].covers == (All(),)


# Experiments.

SEEN = 'ran="m < 9; no threshold", seen=Statement("the half sum", lambda m: m * (m + 1) // 2),'


def test_an_experiment_says_what_was_run(run):
    entry, printed, result = run(verdict="observed", ini="ledger_require_covers = true")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "example.sum: not said what was run" in printed
    entry, printed, result = run(verdict="observed", ini="ledger_require_covers = true", more='ran="m < 9",')
    assert result.ret == 0
    assert entry["ran"] == "m < 9"


def test_an_experiment_that_is_not_seen_as_printed(run):
    entry, _, result = run(verdict="observed", sign="-", more=SEEN)
    assert result.ret == 0
    assert (entry["verdict"], entry["seen"], entry["ran"]) == ("observed", "the half sum", "m < 9; no threshold")
    assert entry["counterexample"] == "the sum differs: m = 1"
    result.stdout.fnmatch_lines(
        [
            "not seen as printed at the scale that was run, but:",
            "  example.sum: the half sum (the sum differs: m = 1)",
        ]
    )


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_an_experiment_that_every_check_sees_as_printed(run, workers):
    _, printed, result = run("", "", *workers, verdict="observed", sign="+", more=SEEN)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "every check finds the printed statement" in printed
    assert "broken" in printed


def test_what_was_seen_is_not_judged_where_no_check_has_run(run):
    _, printed, _ = run("", "", "--ledger-mutate=all", "-k", "mutants", verdict="observed", sign="-", more=SEEN)
    assert "every check finds the printed statement" not in printed
    assert "claim[seen]" not in printed


def test_what_is_seen_must_be_seen(run):
    _, printed, result = run(verdict="observed", sign="-", more=SEEN.replace("m + 1", "m + 3"))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "test_steps[seen]" in printed


@pytest.mark.parametrize("field", [{"seen": Statement("", 0)}, {"ran": "digits"}])
def test_only_experiments_are_seen(field):
    with pytest.raises(ValueError, match="only when the verdict is 'observed'"):
        claim(printed=Statement("", 0), **field)
