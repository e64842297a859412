"""The HTML book: staging of finished pages, generated pages, and a Sphinx extension that needs no network."""
