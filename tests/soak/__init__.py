"""Kill the book's work at random moments, again and again, and count what was lost: `make soak`."""
