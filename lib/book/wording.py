"""How the book writes names, counts, times and HTML."""


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


def raw(text: str) -> str:
    """Return HTML as a part of a MyST page."""
    return f"```{{raw}} html\n{text}\n```"
