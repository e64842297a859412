"""Texts that a notebook displays as such, without IPython, which a machine that only measures need not have."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Markdown:
    """Text that a notebook displays as Markdown."""

    data: str

    def _repr_markdown_(self) -> str:
        return self.data


@dataclass(frozen=True)
class HTML:
    """Text that a notebook displays as HTML."""

    data: str

    def _repr_html_(self) -> str:
        return self.data
