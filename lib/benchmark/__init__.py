"""What training costs on a machine: `python -m lib.benchmark [PART ...] [--device NAME] [--write]`.

Each part is a module that returns a small table; `--write` keeps it in `book/costs/` with the machine, for the book's page
"What it costs". Speed is a ratio of things measured side by side in one run: machines are shared and noisy.
"""
