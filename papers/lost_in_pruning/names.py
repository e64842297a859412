"""Names of the pruning methods as tables, legends and menus show them (LIP Table 1)."""

WT, SIPP, FT, PFP = "WT", "SiPP", "FT", "PFP"
NAMES = {"magnitude": WT, "sipp": SIPP, "ft": FT, "pfp": PFP}
"""By the score that a plan names; another score is its own name."""

WEIGHTS, FILTERS = (WT, SIPP), (FT, PFP)
"""What they remove: single weights, or filters and input channels."""

IN_WORDS = {
    WT: "weights of small magnitude",
    SIPP: "weights of small relative contribution",
    FT: "filters of small norm",
    PFP: "input channels of small sensitivity",
}
