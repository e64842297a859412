"""The page "Prune your own", and the table that the book keeps of it, so that the page needs no training to be read."""
