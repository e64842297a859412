"""Prune it yourself: a trained network and 500 digits, small enough to be part of a page of the book."""
