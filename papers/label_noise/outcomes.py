"""What became of LN's claims: which held, which did not, which cannot be told, by the committed tables.

    outcomes("reproduced")      a list of claims, each with its scale, its page and, folded, the numbers behind it

A claim is decided as on the scoreboard (`lib.analysis.scoreboard`): by the largest scale that decides anything.
"""

import functools
import html
from collections.abc import Sequence

from IPython.display import HTML, Markdown

from lib.analysis.experiments import current
from lib.analysis.findings import Answer
from lib.analysis.inventory import title_of
from lib.analysis.scoreboard import Summary, page_of, summary, verdicts
from lib.analysis.sentences import listed
from lib.analysis.table import find_tables
from papers.label_noise.experiments import PAPER


@functools.cache
def summaries() -> tuple[Summary, ...]:
    """Return what is known of each claim of LN, in the order of `papers/claims.csv`."""
    tables = [current(table)[0] for table in find_tables(PAPER) if table.origin == "committed"]
    return tuple(one for one in summary(verdicts({PAPER: tables})) if one.statement.paper == PAPER)


def count(found: Sequence[Summary] | None = None) -> Markdown:
    """Say how many claims held, did not hold, and cannot be told, and at which scales that was decided."""
    found = summaries() if found is None else found
    held, failed = ([one for one in found if one.verdict == answer] for answer in ("reproduced", "not reproduced"))
    scales = {one.scale for one in (*held, *failed)}
    where = f", decided at {listed(sorted(scales))} scale" if scales else ""
    return Markdown(
        f"Of the paper's {len(found)} claims **{len(held)} held** here, **{len(failed)} did not**, and of "
        f"**{len(found) - len(held) - len(failed)}** we cannot tell{where}."
    )


def outcomes(*answers: Answer, found: Sequence[Summary] | None = None) -> HTML:
    """List the claims with these verdicts: what is claimed, where it was decided, its page, and folded the reason."""
    own = [one for one in (summaries() if found is None else found) if one.verdict in answers]
    return HTML(f"<ul>{''.join(map(_entry, own))}</ul>" if own else "<p>None.</p>")


def _entry(one: Summary) -> str:
    page = page_of(one.statement.id, PAPER)
    link = f'<a href="{page}.html">{html.escape(title_of(PAPER, page))}</a>' if page else "no page"
    where = f"{listed([row.benchmark for row in one.rows])}, {one.scale} scale" if one.scale else one.verdict
    said = html.escape(one.reason)
    head = f"<strong>{one.statement.id}</strong> {html.escape(one.statement.statement)} ({html.escape(where)}; {link})"
    return f"<li>{head}<details><summary>The numbers</summary>{said}</details></li>"
