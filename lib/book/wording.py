"""How the book writes names, counts, times and HTML."""

import re
from itertools import groupby


def words(name: str) -> str:
    """Return the name of a folder, page or column as words."""
    return name.replace("_", " ")


def counted(number: int, noun: str) -> str:
    """Return "1 claim", "3 claims"."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def duration(seconds: float | None) -> str:
    """Return a time in its two largest units, such as "3 min 4 s" or "2 h 5 min"; nothing for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def ranges(numbers: str) -> str:
    """Return a list such as "0, 1, 7, 8, 9, 10" with its longer runs drawn together: "0, 1, 7–10"."""
    known = sorted({int(one) for one in re.findall(r"\d+", numbers)})
    runs = [[n for _, n in group] for _, group in groupby(enumerate(known), lambda at: at[1] - at[0])]
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 3 else ", ".join(map(str, run)) for run in runs)


def raw(text: str) -> str:
    """Return HTML as a part of a MyST page."""
    return f"```{{raw}} html\n{text}\n```"
