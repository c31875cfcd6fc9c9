"""Dialogue response selection: conversations about something that is known.

A frame opens with a line in square brackets (what the speakers know) and a few turns.
`>1 Name: text` is a last turn that waits for a reply, `+` the faithful reply and `~` one
that contradicts what is known. `>>` goes on from the question before it. The two
remaining options are replies that were right in conversations of other files.
"""

from dataclasses import dataclass

from item import Item, SourceError, rank
from source import frames, level, phrasing

STEMS = [
    "Which reply fits the dialogue and is faithful to it?",
    "Which response should come next?",
    "Which answer is consistent with what is known?",
    "What is the right reply to the last turn?",
    "Which of these replies is both relevant and correct?",
]


@dataclass
class Exchange:
    """A last turn with its right and its contradicting reply."""

    where: str
    category: str
    level: int
    example: bool
    context: str
    right: str = ""
    false: str = ""


def items():
    """All items of the task."""
    exchanges = [found for frame in frames("drs") for found in _exchanges(frame)]
    used = {}
    for found in exchanges:
        if not (found.right and found.false):
            raise SourceError(f"{found.where}: an exchange needs a + and a ~ reply")
        strangers = _strangers(found, exchanges, used)
        stem = phrasing(STEMS, found.context)
        yield Item(
            "drs", found.category, found.level, stem, found.right,
            [found.false, *strangers], found.context, found.example,
        )


def _exchanges(frame):
    category, _, _, body = frame
    opening, speakers, found = [], [], []
    for where, text in body:
        if text[0] == ">":
            follows = text.startswith(">>")
            grade, _, turn = text.lstrip(">").partition(" ")
            grade, example = level(grade, where)
            if follows:
                last = found[-1]
                reply = f"{_other(last.context, speakers)}: {last.right}"
                turns = [last.context, reply, turn]
            else:
                turns = [*opening, turn]
            found.append(Exchange(where, category, grade, example, "\n".join(turns)))
        elif text[0] == "+":
            found[-1].right = text[1:].strip()
        elif text[0] == "~":
            found[-1].false = text[1:].strip()
        else:
            opening.append(text)
            name = text.partition(":")[0]
            if text[0] != "[" and name not in speakers:
                speakers.append(name)
    return found


def _other(context, speakers):
    """Who answers the last turn of a conversation between two."""
    asker = context.rpartition("\n")[2].partition(":")[0]
    others = [name for name in speakers if name != asker]
    if len(others) != 1:
        raise SourceError(f"a conversation needs two speakers: {context}")
    return others[0]


def _strangers(found, exchanges, used):
    """Two replies from other files, least used first, near the right reply in length."""
    def cost(other):
        gap = abs(len(other.right) - len(found.right)) // 12
        return (used.get(other.right, 0), gap, rank(found.context, other.right))

    pool = [e for e in exchanges if e.category != found.category and not e.example]
    pool.sort(key=cost)
    chosen = [pool[0]]
    chosen.append(next(e for e in pool if e.category != chosen[0].category))
    for other in chosen:
        used[other.right] = used.get(other.right, 0) + 1
    return [other.right for other in chosen]
