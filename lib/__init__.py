"""One thin PyTorch core for research on pruning and generalization; each room is a page per idea."""
