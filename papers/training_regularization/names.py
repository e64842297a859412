"""TR's algorithms and quantities, as its tables name them."""

LRR = "learning-rate rewinding"
WR = "weight rewinding"
EDT = "extended dense training"
RANDOM, SNIP, SYNFLOW = (f"{LRR}, {score} score" for score in ("random", "SNIP", "SynFlow"))
WD, LONGER_WD, ONE_SHOT = "width down-scaling", "longer width down-scaling", "one-shot pruning"
TIE, RND = "without improved examples", "without random examples"
TIE_TENTH, RND_TENTH = f"{TIE} (10 %)", f"{RND} (10 %)"
TW, RAND = "with worsened examples", "with random examples"
DS = "correct examples only"

TEST, VALIDATION, TRAIN_LOSS = "test error (%)", "validation error (%)", "training loss (nats)"
NOISY_LOSS, ORIGINAL_LOSS = "noisy training loss (nats)", "original training loss (nats)"
GROUP_LOSS, GROUP_SCORE = "training loss of EL2N group (nats)", "mean EL2N of group"
OVERLAP = "overlap of most changed examples"
