"""What runs stored, for the scripts beside this one: probabilities of options, straight from the file."""

import collections
import math
import sqlite3
import struct


def _floats(blob):
    return struct.unpack(f"<{len(blob) // 8}d", blob)


def letters(folder):
    """The log-probabilities of each question's options, by the question's id."""
    with sqlite3.connect(f"file:{folder}/sureness.sqlite?mode=ro", uri=True) as store:
        rows = store.execute(
            "SELECT question, logprobs FROM items JOIN answers ON answers.id = reply ORDER BY pos"
        )
        return {question: _floats(blob) for question, blob in rows}


def drawn(folder):
    """The log-probabilities of each answer that was drawn, by the question's id."""
    with sqlite3.connect(f"file:{folder}/sureness.sqlite?mode=ro", uri=True) as store:
        rows = store.execute(
            "SELECT question, logprobs FROM draws JOIN items USING (run, grp, pos)"
            " JOIN answers ON answers.id = draws.reply ORDER BY pos, draw"
        )
        answers = collections.defaultdict(list)
        for question, blob in rows:
            answers[question].append(_floats(blob))
        return answers


def means(answers):
    """The mean probabilities of a question's answers, as shares of one. Answers that choose no option
    have none."""
    options = zip(*(map(math.exp, answer) for answer in answers))
    sums = [math.fsum(values) for values in options]
    total = math.fsum(sums)
    return [value / total for value in sums] if total else None
