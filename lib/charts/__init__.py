"""Altair charts, one theme; every chart says its scale and replicates."""
