"""Reads the source texts under `text/`: plain text, one marker at the start of each line."""

from pathlib import Path

from item import SourceError, rank

TEXT = Path(__file__).parent / "text"


def lines(task):
    """Every meaningful line of a task's sources as `(file stem, where, text)`."""
    for path in sorted((TEXT / task).glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            line = line.strip()
            if line and not line.startswith("//"):
                yield path.stem, f"{path.relative_to(TEXT)}:{number}", line


def frames(task):
    """A task's frames as `(category, where, name, body)`.

    A frame starts with `## name`; its body is the list of `(where, line)` that follow.
    """
    frame = None
    for category, where, line in lines(task):
        if line.startswith("## "):
            if frame:
                yield frame
            frame = (category, where, line[3:].strip(), [])
        elif frame is None:
            raise SourceError(f"{where}: text before the first '## name'")
        else:
            frame[3].append((where, line))
    if frame:
        yield frame


def level(token, where):
    """Reads `2` or `x2` (a worked example) as `(level, is_example)`."""
    digits = token.removeprefix("x")
    if digits not in {"1", "2", "3"}:
        raise SourceError(f"{where}: level must be 1, 2 or 3, with x before it for an example")
    return int(digits), token.startswith("x")


def phrasing(choices, *key):
    """One of several wordings, fixed by the item's own text."""
    return choices[rank("phrasing", *key) % len(choices)]
