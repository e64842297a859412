"""What training costs on a machine: `python -m book.costs [PART ...] [--device NAME] [--write]`.

Each part is a module that returns a small table; `--write` keeps it here, as `<part>_<device type>.csv`
with the machine in a JSON beside it, for the book's page "What it costs" (`pages/what_it_costs.py`, drawn
by `figures`). Speed is a ratio of things measured side by side in one run: machines are shared and noisy.
"""
