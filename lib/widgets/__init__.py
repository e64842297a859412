"""ipywidgets explorers, for a live kernel only."""
