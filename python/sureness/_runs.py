"""Runs that are there, and files of saved logits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from . import _sureness
from ._arrays import settings_json
from ._document import Analysis, Table
from ._pairs import Metric, Verdict, stopping_json, verdicts
from ._sureness import Questions

Source = str | os.PathLike[str]


class Runs:
    """The answers of one or several models, as `read` has found them.

    Attributes:
        models: names of the models.
        warnings: what may make the figures others than expected.
        notes: what a reader of the figures should know.
    """

    def __init__(self, evidence: _sureness.Evidence, sources: list[Source], flags: list[str]) -> None:
        self._evidence = evidence
        self._sources = sources
        self._flags = flags
        #: What relative paths of sources start from.
        self._cwd = os.getcwd()
        #: Kept as long as these runs, where their store lies in a folder that nobody else knows.
        self._folder: object = None
        self.models: list[str] = evidence.models
        self.warnings: list[str] = evidence.warnings
        self.notes: list[str] = evidence.notes

    def analyze(self, *modes: str, **settings: Any) -> Analysis:
        """An analysis, as `sureness analyze` makes it.

        Args:
            modes: what to show, such as "basic", "comparative", "calibration", "abstention"; without any,
                the models' figures and, for several, their comparison.
            settings: `protocol`, `alpha`, `calibration_ratio`, `seed`, `covers`, `level`, `replicates`,
                `estimand`, `bins`, `splits`, `insist`; by default those of the run.

        Raises:
            ValueError: a mode or setting is unknown, or nothing can be evaluated.
        """
        wanted = list(modes) or (["basic"] if len(self.models) == 1 else ["comparative", "basic"])
        return Analysis(self._evidence.document(wanted, settings_json(settings)))

    def leaderboard(self, **settings: Any) -> Table:
        """The models' figures, means over tasks, prompt strategies and both scores; the best first."""
        return self.analyze("comparative", **settings).table("leaderboard")

    def evaluations(self, **settings: Any) -> list[dict[str, Any]]:
        """The headline figures of each model, task and strategy, as `sureness score` has them."""
        found: list[dict[str, Any]] = json.loads(self._evidence.evaluations(settings_json(settings)))
        return found

    def promises(self, wrong: float = 0.1, **settings: Any) -> list[dict[str, Any]]:
        """For each model, task and strategy the rules of answering with at most a share `wrong` of wrong
        answers, set on the calibration questions, and what they do on the test questions."""
        found: list[dict[str, Any]] = json.loads(self._evidence.promises(wrong, settings_json(settings)))
        return found

    def settle(
        self,
        *,
        metrics: Iterable[Metric] = ("acc", "size"),
        margins: Mapping[Metric, float] | None = None,
        confidence: float = 0.95,
        max_questions: int | None = None,
        **settings: Any,
    ) -> list[Verdict]:
        """How many questions, in random order, it takes to settle which model is better; see `settle`."""
        stopping = stopping_json(metrics, margins, confidence, max_questions)
        return verdicts(self._evidence.play(stopping, settings_json(settings)))

    def questions(self, **settings: Any) -> Questions:
        """Every answered question as an Arrow table, with the columns of `questions.parquet`.

        It has `__arrow_c_stream__`: `polars.DataFrame(…)`, `pyarrow.table(…)` and
        `pandas.DataFrame.from_arrow(…)` read it without copying, DuckDB through pyarrow.
        """
        return self._evidence.questions(settings_json(settings))

    def report(self, output: Source = "report.html", *flags: str) -> Path:
        """Writes the page for browsers, as `sureness report` does.

        Args:
            output: the file.
            flags: further flags of `sureness report`, such as "--error-rate", "0.2".

        Raises:
            ValueError: what `sureness report` refuses.
        """
        sources = [os.fspath(source) for source in self._sources]
        command = [sys.executable, "-m", "sureness", "report", *sources, *self._flags, "--output", os.path.abspath(output)]
        done = subprocess.run([*command, *flags], capture_output=True, text=True, check=False, cwd=self._cwd)
        if done.returncode != 0:
            raise ValueError(done.stderr.strip().removeprefix("error: "))
        return Path(output)

    def __repr__(self) -> str:
        return f"<Runs: {', '.join(self.models)}>"

    def _repr_html_(self) -> str:
        return self.analyze("comparative")._repr_html_()


def read(
    *sources: Source,
    questions: Source | None = None,
    models: Iterable[str] = (),
    tasks: Iterable[str] = (),
    strategies: Iterable[str] = (),
    drop_ids: Iterable[int] | None = None,
    mixed_prompts: bool = False,
) -> Runs:
    """Reads output folders of runs and files of saved logits.

    `"results#3"` is run 3 of a folder, and `"five shots=results#3"` shows it under that name.

    Args:
        sources: folders, stores, or files in .pkl, .jsonl, .csv and .parquet.
        questions: questions with answers in the paper's JSON layout, for files of saved logits.
        models: only models whose names contain one of these.
        tasks: only these tasks.
        strategies: only these prompt strategies.
        drop_ids: ids of questions in files of saved logits to leave out; the few-shot examples of the
            paper's files if not given.
        mixed_prompts: compares runs with different prompts.

    Raises:
        ValueError: a file cannot be read, or the runs cannot be compared.
    """
    if not sources:
        raise ValueError('no run is named\nhint: name an output folder, such as sureness.read("results")')
    selection = {
        "questions": None if questions is None else os.fspath(questions),
        "models": list(models),
        "tasks": list(tasks),
        "strategies": list(strategies),
        "drop_ids": None if drop_ids is None else list(drop_ids),
        "mixed_prompts": mixed_prompts,
    }
    paths: list[str | os.PathLike[str]] = list(sources)
    return Runs(_sureness.Evidence.of_runs(paths, json.dumps(selection)), list(sources), _flags(selection))


def _flags(selection: Mapping[str, Any]) -> list[str]:
    """The same selection for the command line."""
    flags = [] if selection["questions"] is None else ["--questions", selection["questions"]]
    for name, flag in [("models", "--models"), ("tasks", "--tasks"), ("strategies", "--prompt-strategies")]:
        flags += [flag, ",".join(selection[name])] if selection[name] else []
    if selection["drop_ids"] is not None:
        flags += ["--drop-ids", ",".join(map(str, selection["drop_ids"])) or "none"]
    return flags + (["--mixed-prompts"] if selection["mixed_prompts"] else [])
