"""Commonsense inference: everyday events told step by step.

A frame starts with its setting. Each `+2 text` is the next step (and a question of level 2
about it), followed by three `-` endings that make no sense. The steps before a question
are its context.
"""

from item import Item, SourceError
from source import frames, level, phrasing

STEMS = [
    "What most plausibly happens next?",
    "How does this most likely continue?",
    "Which ending makes the most sense?",
    "What would you expect to happen next?",
    "Which sentence most sensibly follows?",
]


def items():
    """All items of the task."""
    for category, _, _, body in frames("ci"):
        told, item = [], None
        for where, text in body:
            if text[0] == "+":
                yield from _done(item, where)
                if item:
                    told.append(item.right)
                grade, _, right = text[1:].partition(" ")
                grade, example = level(grade, where)
                context = " ".join(told)
                stem = phrasing(STEMS, context)
                item = Item("ci", category, grade, stem, right, [], context, example)
            elif text[0] == "-":
                item.wrong.append(text[1:].strip())
            else:
                told.append(text)
        yield from _done(item, where)


def _done(item, where):
    if item is None:
        return
    if len(item.wrong) != 3:
        raise SourceError(f"{where}: the question before this line needs three - endings")
    yield item
