"""Names of LN's algorithms, as its tables and charts have them."""

WR = "weight rewinding"
GRADIENT = "weight rewinding, gradient score"
RANDOM = "weight rewinding, random score"
WIDTH = "width down-scaling"
REDENSE = "re-dense training"
FINE_TUNING = "fine-tuning"

SCORES = {WR: "magnitude score", GRADIENT: "gradient score", RANDOM: "random score"}
"""What algorithms are called where they differ in nothing but the score."""
