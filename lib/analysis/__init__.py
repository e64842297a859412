"""Analysis: tidy tables of finished stages, statistics, claims and their verdicts."""
