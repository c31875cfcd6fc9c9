"""Runs from Python, with a real model where there is one."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time

import nbclient
import nbformat
import pytest

import sureness


@pytest.fixture
def gguf():
    """A small model; skips without it, except in CI."""
    model = os.environ.get("SURENESS_TEST_GGUF")
    if not model:
        if os.environ.get("CI"):
            pytest.fail("CI is set, but SURENESS_TEST_GGUF is not")
        pytest.skip("no SURENESS_TEST_GGUF")
    return model


def ask(gguf, folder, sample_size, **flags):
    return sureness.run(
        gguf=gguf, tasks=["qa"], sample_size=sample_size, prompt_strategies=["base"], shots=0, output_dir=folder, **flags
    )


def test_a_run_is_read_back_and_asks_nothing_twice(gguf, tmp_path, capfd):
    runs = ask(gguf, tmp_path / "results", 12)
    shown = capfd.readouterr().err
    assert "12 of 12" in shown
    polars = pytest.importorskip("polars")
    table = polars.DataFrame(runs.questions())
    assert table.height == 12 and set(table["split"]) == {"calibration", "test"}
    assert table.select(f"prob_{letter}" for letter in "ABCDEF").sum_horizontal().is_between(0.999999, 1.000001).all()
    listed = sureness.read(tmp_path / "results").evaluations()
    assert [(row["task"], row["strategy"], row["questions"]) for row in listed] == [("qa", "base", 12)]
    again = ask(gguf, tmp_path / "results", 12, recheck=0)
    assert again.evaluations()[0]["lac"] == listed[0]["lac"]
    assert answers(tmp_path / "results" / "sureness.sqlite") == 12
    page = runs.report(tmp_path / "page.html")
    assert page.read_text().startswith("<!doctype html>")


def test_a_run_comes_back_under_its_own_settings(gguf, tmp_path):
    other = tmp_path / "other.gguf"
    other.symlink_to(gguf)
    ask(gguf, tmp_path / "results", 6, error_rate=0.3)
    runs = ask(other, tmp_path / "results", 6)
    assert runs.models == ["other"] and not runs.notes
    both = sureness.read(tmp_path / "results")
    assert len(both.models) == 2
    assert any("evaluated apart (error rate 0.3 and 0.1)" in note for note in both.notes)


def test_a_notebook_shows_one_bar(gguf, tmp_path):
    code = f"""
        import sureness
        runs = sureness.run(gguf={gguf!r}, tasks=["qa"], sample_size=6, prompt_strategies=["base"], shots=0)
    """
    cell = nbformat.v4.new_code_cell(textwrap.dedent(code))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    bars = [output for output in notebook.cells[0].outputs if output.output_type == "display_data"]
    assert ["6 of 6" in bar.data["text/plain"] for bar in bars] == [True], notebook.cells[0].outputs
    assert not any("[####" in output.get("text", "") for output in notebook.cells[0].outputs)


def answers(store):
    """How many answers a store has, while the run writes it."""
    try:
        with contextlib.closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as reader:
            return reader.execute("SELECT count(*) FROM answers").fetchone()[0]
    except sqlite3.OperationalError:  # There is none yet, or it has no tables.
        return 0


def test_ctrl_c_keeps_what_there_is(gguf, tmp_path):
    code = f"""
        import sureness
        runs = sureness.run(gguf={gguf!r}, tasks=["qa"], prompt_strategies=["base"], shots=0,
                            output_dir={str(tmp_path / "results")!r})
        print("kept", len(runs.questions()))
    """
    child = subprocess.Popen(
        [sys.executable, "-u", "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        for _ in range(1200):
            if answers(tmp_path / "results" / "sureness.sqlite") or child.poll() is not None:
                break
            time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=120)
    finally:
        child.kill()
    assert child.returncode == 0, err
    assert "interrupted" in err
    kept = int(out.removeprefix("kept "))
    assert 0 < kept < 1000


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({}, "no model given"),
        ({"model": "a"}, "a model name is given, but no server"),
        ({"gguf": "x.gguf", "no_such_flag": 1}, "--no-such-flag"),
        ({"gguf": "x.gguf", "error_rate": 2}, "error-rate"),
        ({"gguf": "/no/such/file.gguf"}, "/no/such/file.gguf|cannot run GGUF"),
        ({"gguf": "x.gguf", "prompt_strategies": []}, "prompt_strategies is empty"),
        ({"gguf": "x.gguf", "data": ["questions.csv"]}, "data is no mapping"),
        ({"model": b"m"}, "models is b'm'"),
        ({"gguf": "x.gguf", "data": {"qa": "/no/such/questions.csv"}}, "/no/such/questions.csv"),
    ],
)
def test_what_the_command_refuses_is_a_value_error(flags, message, tmp_path):
    with pytest.raises(ValueError, match=message) as refused:
        sureness.run(output_dir=tmp_path / "results", progress=False, **flags)
    assert "\nhint: " in str(refused.value)


def test_reading_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="does not contain a run\nhint: "):
        sureness.read(tmp_path)
    with pytest.raises(ValueError, match="does not exist"):
        sureness.read(tmp_path / "nothing")
    with pytest.raises(ValueError, match="no run is named"):
        sureness.read()
