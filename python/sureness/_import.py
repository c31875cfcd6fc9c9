"""Evaluations that other tools have made."""

from __future__ import annotations

import json
import os
import re
import tempfile
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from . import _sureness
from ._runs import Runs, Source, read

Normalise = Literal["none", "chars", "bytes", "tokens"]

#: What lm-evaluation-harness puts behind the names of its files.
_DATE = "2000-01-01T00-00-00.000000"


def import_results(
    *paths: Source,
    output_dir: Source | None = None,
    format: str | None = None,
    questions: Source | None = None,
    model: str | None = None,
    task: str | None = None,
    strategy: str | None = None,
    drop_ids: Iterable[str] | None = None,
    tasks: Iterable[str] = (),
    skip: Iterable[str] = (),
    normalise: Normalise = "none",
) -> Runs:
    """Imports evaluations of other tools, as `sureness import` does.

    Args:
        paths: files and folders: samples of lm-evaluation-harness, logs of Inspect, and the other
            formats of `sureness import`.
        output_dir: folder of the store; a temporary one, kept as long as the result, if not given.
        format: name of the format; detected if not given.
        questions: questions with their right answers, for files without.
        model: name of the model, instead of the one in the file.
        task: name of the task, instead of the one in the file.
        strategy: name of the strategy, instead of the one in the file.
        drop_ids: ids of questions to leave out.
        tasks: tasks to import; all if empty.
        skip: tasks to leave out.
        normalise: what to divide the log-likelihood of each option by.

    Raises:
        ValueError: what `sureness import` refuses; nothing is written then.
    """
    if not paths:
        raise ValueError("nothing to import\nhint: name files or folders")
    options = {
        "format": format, "questions": None if questions is None else os.fspath(questions), "model": model,
        "task": task, "strategy": strategy, "drop_ids": None if drop_ids is None else list(drop_ids),
        "tasks": list(tasks), "skip": list(skip), "normalise": normalise,
    }  # fmt: skip
    folder = None
    if output_dir is None:
        folder = tempfile.TemporaryDirectory(prefix="sureness-")
        output_dir = folder.name
    target = os.fspath(output_dir)
    brought = json.loads(_sureness.import_files([os.fspath(path) for path in paths], json.dumps(options), target))
    for warning in dict.fromkeys(brought["warnings"]):
        warnings.warn(warning, stacklevel=2)
    numbers = sorted({group["run"] for group in brought["groups"]})
    runs = read(*(f"{target}#{number}" for number in numbers))
    runs.notes[:0] = dict.fromkeys(brought["notes"])
    runs._folder = folder
    return runs


def from_lm_eval(results: Mapping[str, Any], *, model: str | None = None, **options: Any) -> Runs:
    """Imports what `lm_eval.simple_evaluate(…, log_samples=True)` returned.

    Args:
        results: the dictionary.
        model: name of the model; that of the results' configuration if not given.
        options: further arguments of `import_results`, such as `output_dir`.

    Raises:
        ValueError: the results have no samples, or what `import_results` refuses.
    """
    samples = results.get("samples")
    if not samples:
        raise ValueError("the results have no samples\nhint: evaluate with log_samples=True")
    with tempfile.TemporaryDirectory(prefix="sureness-lm-eval-") as folder:
        rest = {key: value for key, value in results.items() if key != "samples"}
        Path(folder, f"results_{_DATE}.json").write_text(_plain(rest))
        named: dict[str, str] = {}
        for task, rows in samples.items():
            name = _file_name(task)
            other = named.setdefault(name, task)
            if other != task:
                raise ValueError(
                    f"the tasks {other!r} and {task!r} are both called {name!r} in files of the harness"
                    "\nhint: rename one of them, or import results with one of them at a time"
                )
            lines = "".join(_plain(row) + "\n" for row in rows)
            Path(folder, f"samples_{name}_{_DATE}.jsonl").write_text(lines)
        return import_results(folder, format="lm-eval", model=model or _model_of(results), **options)


def _model_of(results: Mapping[str, Any]) -> str | None:
    config = results.get("config") or {}
    # "hf" is the kind of model; the import finds its name among the arguments.
    if not results.get("model_name") and re.search(r"(^|,|')(pretrained|model)\b", str(config.get("model_args") or "")):
        return None
    name = results.get("model_name") or config.get("model")
    return name if isinstance(name, str) else None


def _file_name(task: str) -> str:
    return re.sub(r"[^\w.-]", "_", task)


def _plain(value: Any) -> str:
    """JSON; what it does not know, such as functions and arrays of NumPy, as the harness writes it."""

    def other(thing: Any) -> Any:
        if hasattr(thing, "item") and getattr(thing, "ndim", 0) == 0:
            return thing.item()
        if isinstance(thing, (set, frozenset)):
            return list(thing)
        return thing.tolist() if hasattr(thing, "tolist") else str(thing)

    return json.dumps(value, default=other, ensure_ascii=False)


def from_inspect(*logs: Any, **options: Any) -> Runs:
    """Imports logs of Inspect: `EvalLog` objects, or paths of `.eval` and `.json` files.

    Args:
        logs: the logs, with log-probabilities (`logprobs=True` in Inspect's configuration); also a list of
            them, as `inspect_ai.eval` returns it.
        options: further arguments of `import_results`, such as `output_dir`.

    Raises:
        ValueError: what `import_results` refuses.
    """
    with tempfile.TemporaryDirectory(prefix="sureness-inspect-") as folder:
        paths: list[Source] = []
        each = [log for given in logs for log in (given if isinstance(given, list) else [given])]
        for number, log in enumerate(each):
            if isinstance(log, (str, os.PathLike)):
                paths.append(log)
                continue
            if getattr(log, "samples", None) is None:
                raise ValueError(
                    f"{log!r:.60} has no samples\nhint: give logs from inspect_ai.eval, or read_eval_log(path)"
                )
            path = Path(folder, f"{number}.json")
            path.write_text(log.model_dump_json(exclude_none=True))
            paths.append(path)
        return import_results(*paths, format="inspect", **options)
