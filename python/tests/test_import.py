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
    with pytest.raises(ValueError, match="has no samples\nhint: "):
        sureness.from_inspect([object()])


def test_results_without_samples_are_refused():
    with pytest.raises(ValueError, match="log_samples=True"):
        sureness.from_lm_eval({"results": {}})
    with pytest.raises(ValueError, match="nothing to import"):
        sureness.import_results()
    with pytest.raises(ValueError, match='format "mine" is unknown\nhint: choose among lm-eval'):
        sureness.import_results(DATA / "lm_eval", format="mine")


def test_what_is_missing_or_contradicts_its_file_is_a_warning(tmp_path):
    """As `sureness import` says on standard error."""
    results = json.loads(next((DATA / "lm_eval").glob("results_*.json")).read_text())
    file = sorted((DATA / "lm_eval").glob("samples_mini_*.jsonl"))[0]
    task = file.name.removeprefix("samples_").rsplit("_", 1)[0]
    results["results"][task]["acc,none"] = 0.9
    results["samples"] = {task: [json.loads(line) for line in file.open()]}
    with pytest.warns(UserWarning, match="the accuracy.* % here and 90.00 % in the file"):
        sureness.from_lm_eval(results, tasks=["mini"])


def test_tasks_that_share_a_file_name_are_refused():
    with pytest.raises(ValueError, match="'a/b' and 'a_b' are both called 'a_b'"):
        sureness.from_lm_eval({"samples": {"a/b": [], "a_b": []}})


def test_a_kind_of_model_is_not_its_name():
    from sureness._import import _model_of

    assert _model_of({"config": {"model": "hf", "model_args": "pretrained=org/x,dtype=float16"}}) is None
    assert _model_of({"config": {"model": "hf", "model_args": {"pretrained": "org/x"}}}) is None
    assert _model_of({"model_name": "mine", "config": {"model": "hf", "model_args": "pretrained=org/x"}}) == "mine"
    assert _model_of({"config": {"model": "dummy"}}) == "dummy"


def test_a_number_of_options_that_the_scores_contradict_is_refused(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("id,answer,options,A,B,C\n1,B,2,0,1,5\n2,A,2,1,0,3\n")
    with pytest.raises(ValueError, match="`options` is 2, but there are 3 scores"):
        sureness.import_results(table, task="qa", model="m")
