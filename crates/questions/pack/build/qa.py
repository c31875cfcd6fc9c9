"""Knowledge questions: tables of facts, one file a subject.

A line is `level | question | right | wrong | wrong | wrong`; the file's name is the category.
"""

from item import Item, SourceError
from source import level, lines


def items():
    """All items of the task."""
    for subject, where, line in lines("qa"):
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != 6 or not all(cells):
            raise SourceError(f"{where}: expected 6 cells, found {len(cells)}")
        grade, example = level(cells[0], where)
        yield Item(
            task="qa",
            category=subject.replace("_", " "),
            level=grade,
            question=cells[1],
            right=cells[2],
            wrong=cells[3:],
            example=example,
        )
