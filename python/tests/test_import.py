"""Evaluations of other tools, from files and as they lie in memory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import sureness

DATA = Path(__file__).parents[2] / "crates" / "importers" / "tests" / "data"


def test_samples_of_lm_evaluation_harness_are_imported(tmp_path):
    runs = sureness.import_results(DATA / "lm_eval", output_dir=tmp_path / "imported", tasks=["mini"])
    rows = runs.evaluations()
    assert sum(row["questions"] for row in rows) == 24
    again = sureness.read(tmp_path / "imported").evaluations()
    assert [row["questions"] for row in again] == [row["questions"] for row in rows]


def test_results_in_memory_are_those_of_the_files():
    """What `simple_evaluate` returns holds the same rows as its files."""
    results = json.loads(next((DATA / "lm_eval").glob("results_*.json")).read_text())
    results["samples"] = {
        file.name.removeprefix("samples_").rsplit("_", 1)[0]: [json.loads(line) for line in file.open()]
        for file in sorted((DATA / "lm_eval").glob("samples_mini_*.jsonl"))
    }
    # NumPy's numbers are among what the harness leaves in a result.
    for rows in results["samples"].values():
        for row in rows:
            row["acc"] = np.float64(row["acc"])
    from_memory = sureness.from_lm_eval(results, model="dummy", tasks=["mini"])
    from_files = sureness.import_results(DATA / "lm_eval", model="dummy", tasks=["mini"])
    pl = pytest.importorskip("polars")
    one, other = (pl.DataFrame(runs.questions()) for runs in (from_memory, from_files))
    columns = [name for name in one.columns if name not in ("task", "strategy")]
    assert one.select(columns).sort("key").equals(other.select(columns).sort("key"))


def test_a_log_of_inspect_is_imported():
    logs = sorted((DATA / "inspect").glob("*.eval")) + sorted((DATA / "inspect").glob("*.json"))
    runs = sureness.from_inspect(logs[0])
    assert runs.evaluations()[0]["questions"] == 6


def test_results_without_samples_are_refused():
    with pytest.raises(ValueError, match="log_samples=True"):
        sureness.from_lm_eval({"results": {}})
    with pytest.raises(ValueError, match="nothing to import"):
        sureness.import_results()
    with pytest.raises(ValueError, match='format "mine" is unknown\nhint: choose among lm-eval'):
        sureness.import_results(DATA / "lm_eval", format="mine")
