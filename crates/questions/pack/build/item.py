"""One question on its way into the pack, and how a task's items get order, ids and letters.

Nothing here is random. Every choice follows from a hash of the item's own text, so a
rebuild gives the same bytes on any machine, and an added question moves few others.
"""

import hashlib
import json
from dataclasses import dataclass

LETTERS = "ABCD"


class SourceError(ValueError):
    """A source text that cannot be read; says where."""


@dataclass
class Item:
    """A question with its right option and three wrong ones, before letters are given."""

    task: str
    category: str
    level: int
    question: str
    right: str
    wrong: list
    context: str = ""
    example: bool = False

    def key(self):
        """What the item is, whatever its place in the file."""
        return "\n".join([self.task, self.context, self.question, self.right])


def rank(*parts):
    """A number that looks random and never changes for the same text."""
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:8], "big")


def records(items):
    """The lines of one task's file as dictionaries: worked examples first, then the rest."""
    items = list(items)
    out = []
    for example in (True, False):
        group = sorted(
            (item for item in items if item.example is example),
            key=lambda item: rank("order", item.key()),
        )
        letters = _letters(group)
        for number, (item, letter) in enumerate(zip(group, letters), start=1):
            out.append(_record(item, number, letter))
    return out


def dump(lines):
    """The file's text: one JSON object a line."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _letters(group):
    """A letter for each item: as even as can be within each level, and over the task."""
    by_rank = sorted(
        range(len(group)), key=lambda i: (group[i].level, rank("letter", group[i].key()))
    )
    letters = [""] * len(group)
    for place, index in enumerate(by_rank):
        letters[index] = LETTERS[place % 4]
    return letters


def _record(item, number, letter):
    wrong = sorted(item.wrong, key=lambda text: rank("option", item.key(), text))
    options = wrong[:]
    options.insert(LETTERS.index(letter), item.right)
    record = {
        "id": f"{item.task}-x{number}" if item.example else f"{item.task}-{number:04d}",
        "category": item.category,
        "level": item.level,
    }
    if item.example:
        record["example"] = True
    if item.context:
        record["context"] = item.context
    record.update(question=item.question, options=options, answer=letter)
    return record
