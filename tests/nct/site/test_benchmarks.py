"""The page of benchmarks."""

import json

import pytest

from nct.ledger import LedgerError
from nct.site.benchmarks import benchmark_pages, figures

RUN = {
    "benchmark": "sums",
    "date": "2026-01-02",
    "machine": {"cores": 2},
    "rows": [{"n": 3, "seconds": {"median": 2.0, "min": 1.0}}],
}


def test_every_run_is_a_column_and_each_once(tmp_path):
    old = RUN | {"date": "2025-01-01", "rows": [{"n": 3, "seconds": {"median": 4.0}, "peak": 7}]}
    (tmp_path / "history").mkdir()
    (tmp_path / "sums.json").write_text(json.dumps(RUN))
    (tmp_path / "history" / "sums.jsonl").write_text(json.dumps(old) + "\n" + json.dumps(RUN) + "\n")
    (page,) = benchmark_pages(tmp_path)
    (found,) = page.context["benchmarks"]
    assert (found.name, found.dates) == ("sums", ["2026-01-02", "2025-01-01"])
    assert found.machines == ["cores 2", "cores 2"]
    assert found.rows == [
        ("rows · 1 · n", ["3", "3"]),
        ("rows · 1 · seconds · median", ["2", "4"]),
        ("rows · 1 · peak", ["–", "7"]),
    ]


def test_without_results_there_is_no_page(tmp_path):
    assert benchmark_pages(tmp_path) == ()
    assert benchmark_pages(tmp_path / "nowhere") == ()


def test_results_that_cannot_be_read(tmp_path):
    (tmp_path / "sums.json").write_text("{")
    with pytest.raises(LedgerError, match="cannot be read"):
        benchmark_pages(tmp_path)


def test_lists_of_numbers_stay_together():
    assert figures({"a": [1, 2], "b": {"c": "x"}, "d": []}) == {"a": [1, 2], "b · c": "x", "d": []}
