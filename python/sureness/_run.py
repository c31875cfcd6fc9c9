"""Runs from Python."""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, TextIO

from . import _sureness
from ._runs import Runs, Source, read

#: Arguments whose default is an empty list.
_MAY_BE_EMPTY = ("tasks", "data")
#: Seconds between two drawings of the bar.
_PAUSE = 0.2


def run(
    *,
    model: str | Iterable[str] | None = None,
    gguf: Source | Iterable[Source] | None = None,
    api_base: str | None = None,
    tasks: Iterable[str] = (),
    data: Mapping[str, Source] | None = None,
    sample_size: int | None = None,
    output_dir: Source = "results",
    progress: bool = True,
    **flags: Any,
) -> Runs:
    """Measures models, as `sureness run` does, and returns what they answered.

    Ctrl-C stops once requests in flight are back, a second one at once. All answers so far are saved:
    the same call asks only the rest. Other runs in `output_dir` are left to `sureness.read`.

    Args:
        model: names of models behind `api_base`.
        gguf: files of models to run in this process, or names of `sureness model list`.
        api_base: address of an OpenAI-compatible server.
        tasks: names of tasks; all five of the benchmark if neither these nor `data` are given.
        data: files of questions by task.
        sample_size: questions per task, sampled at random.
        output_dir: folder of answers and results.
        progress: whether to show a bar, in a terminal or a notebook.
        flags: further flags of `sureness run`, such as `chat=True`, `prompt_strategies=["base"]` or
            `error_rate=0.2`.

    Raises:
        ValueError: what `sureness run` refuses, before any question is asked.
        RuntimeError: the run stopped early, or too many questions failed; answers are saved.
        KeyboardInterrupt: Ctrl-C came before the first question.
    """
    if not isinstance(data, (Mapping, type(None))):
        raise ValueError('data is no mapping\nhint: give files by task, such as data={"own": "questions.csv"}')
    given = {
        "model": model if isinstance(model, str) else None,
        "models": None if isinstance(model, str) else model,
        "gguf": gguf,
        "api_base": api_base,
        "tasks": tasks,
        "data": [f"{task}={os.fspath(path)}" for task, path in (data or {}).items()],
        "sample_size": sample_size,
        "output_dir": output_dir,
        **flags,
    }
    # Without a console, as under pythonw, there is no such stream.
    shown = _Shown(sys.stderr) if progress and sys.stderr is not None else _Silent()
    try:
        folder, runs, interrupted = _sureness.run(_flags(given), shown)
    finally:
        shown.close()
    if interrupted and not runs:
        raise KeyboardInterrupt
    if interrupted:
        warnings.warn("the run was interrupted; the same call asks only the rest", stacklevel=2)
    # The folder may hold runs with other settings.
    return read(*(f"{folder}#{number}" for number in runs)) if runs else read(folder)


def _flags(given: Mapping[str, Any]) -> list[str]:
    """The flags of the command line: `api_base="x"` is `--api-base x`, True a flag without a value."""
    flags = []
    for name, value in given.items():
        flag = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            flags.append(flag)
        elif isinstance(value, (str, Real, os.PathLike)):
            flags += [flag, _text(value)]
        elif isinstance(value, Mapping):
            flags += [flag, json.dumps(value)]
        elif isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)):
            values = [_text(each) for each in value]
            if not values and name not in _MAY_BE_EMPTY:
                raise ValueError(f"{name} is empty\nhint: leave it out for the default")
            for each in values:
                flags += [flag, each]
        else:
            raise ValueError(f"{name} is {value!r}\nhint: give a text, a number, True, or a list of these")
    return flags


def _text(value: Any) -> str:
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


class _Silent:
    """Shows nothing but warnings."""

    def __call__(self, kind: str, told: Any) -> None:
        if kind == "warning":
            warnings.warn(told, stacklevel=4)

    def close(self) -> None:
        """Ends the display."""


class _Shown(_Silent):
    """A bar in a terminal or a notebook; lines elsewhere."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._cell = _Cell() if _in_notebook() else None
        self._bar = getattr(out, "isatty", bool)()
        self._drawn = 0.0
        self._last: tuple[str, int, int, int] | None = None
        self._begun: dict[str, float] = {}

    def __call__(self, kind: str, told: Any) -> None:
        super().__call__(kind, told)
        if kind == "note":
            self._line(told)
        elif kind == "progress" and told != self._last:
            self._last = told
            drawn = self._bar or self._cell is not None
            if drawn and (time.monotonic() - self._drawn > _PAUSE or told[1] == told[2]):
                self._draw()

    def close(self) -> None:
        if self._last is None:
            return
        self._draw()
        if self._cell is None:
            self._out.write("\n")
            self._out.flush()

    def _line(self, text: str) -> None:
        # Over a bar that is there.
        self._out.write(f"\r\x1b[K{text}\n" if self._bar else f"{text}\n")
        self._out.flush()

    def _draw(self) -> None:
        if self._last is None:
            return
        name, done, planned, failed = self._last
        now = time.monotonic()
        begun = self._begun.setdefault(name, now)
        rate = done / (now - begun) if now > begun else 0.0
        filled = "#" * (20 * done // max(planned, 1))
        left = f", {(planned - done) / rate:.0f} s left" if rate and done < planned else ""
        failures = f", {failed:,} failed" if failed else ""
        text = f"{name} [{filled:<20}] {done:,} of {planned:,}{failures}{left}"
        if self._cell is None:
            self._out.write(f"\r\x1b[K{text}" if self._bar else text)
            self._out.flush()
        else:
            self._cell.show(text)
        self._drawn = now


class _Cell:
    """One output of a notebook's cell, which changes in place: also where a page is made of the notebook,
    as nbconvert does, which would repeat a line of a terminal at each step."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str) -> None:
        """Puts `text` in place of what was shown."""
        from IPython.display import display

        if self._handle is None:
            self._handle = display({"text/plain": text}, raw=True, display_id=True)
        else:
            self._handle.update({"text/plain": text}, raw=True)


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    return shell is not None and "IPKernelApp" in getattr(shell.get_ipython(), "config", {})
