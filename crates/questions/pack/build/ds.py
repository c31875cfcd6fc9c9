"""Document summarisation: reports and notices with a right summary and three wrong ones.

A frame is a text with `{slots}`, and one `@ slot = value; slot = value` line for each
version of it. `=2` is a faithful summary (level 2), followed by `~`, which contradicts
the text, and `^`, which adds something it does not say. The fourth option is a faithful
summary of a document in another file.
"""

import re
from dataclasses import dataclass

from item import Item, SourceError, rank
from source import frames, level

STEMS = [
    "Which summary of the document is right?",
    "Which of these statements sums up the document faithfully?",
    "Which sentence reports only what the text says?",
    "Which short version agrees with the document on every point?",
    "Which summary could be printed beneath this text without a mistake?",
    "Which option gives a correct account of the document?",
]


@dataclass
class Summary:
    """A summary of one version of a document, with its two false twins."""

    where: str
    category: str
    level: int
    example: bool
    document: str
    stem: str
    right: str
    false: list


def items():
    """All items of the task."""
    summaries = [found for frame in frames("ds") for found in _summaries(frame)]
    used = {}
    for found in summaries:
        stranger = _stranger(found, summaries, used)
        yield Item(
            "ds", found.category, found.level, found.stem, found.right,
            [*found.false, stranger], found.document, found.example,
        )


def _summaries(frame):
    category, where, name, body = frame
    text = " ".join(line for _, line in body if line[0] not in "@=~^")
    versions = [(at, _slots(line, at)) for at, line in body if line[0] == "@"]
    triples = []
    for at, line in body:
        if line[0] == "=":
            triples.append((at, line[1:].partition(" "), []))
        elif line[0] in "~^":
            triples[-1][2].append(line[1:].strip())
    for _, slots in versions or [(where, {})]:
        document = _fill(text, slots, where)
        for number, (at, (grade, _, right), false) in enumerate(triples):
            if len(false) != 2:
                raise SourceError(f"{at}: a summary needs one ~ and one ^ line")
            grade, example = level(grade, at)
            stem = STEMS[(rank("stem", document) + number) % len(STEMS)]
            yield Summary(
                at, category, grade, example, document, stem, _fill(right, slots, at),
                [_fill(twin, slots, at) for twin in false],
            )


def _slots(line, where):
    slots = {}
    for pair in line[1:].split(";"):
        name, equals, value = pair.partition("=")
        if not equals:
            raise SourceError(f"{where}: expected 'slot = value', found '{pair.strip()}'")
        slots[name.strip()] = value.strip()
    return slots


def _fill(text, slots, where):
    """The text with its slots filled; a value that opens a sentence gets its capital."""
    try:
        filled = text.format(**slots)
        return re.sub(r"(^|[.?!] )([a-z])", lambda m: m[1] + m[2].upper(), filled)
    except (KeyError, IndexError) as error:
        raise SourceError(f"{where}: no value for slot {error}") from None


def _stranger(found, summaries, used):
    """A summary from another file, least used first, near the right one in length."""
    def cost(other):
        gap = abs(len(other.right) - len(found.right)) // 12
        return (used.get(other.right, 0), gap, rank(found.document, found.right, other.right))

    pool = [s for s in summaries if s.category != found.category and not s.example]
    other = min(pool, key=cost)
    used[other.right] = used.get(other.right, 0) + 1
    return other.right
