"""Every page over its grid of parameters, on a machine or a cluster, killed and resumed at will.

    python -m lib.batch                     # what is missing at laptop scale, then the pages of the book
    python -m lib.batch --scale paper --profile slurm

`plan` reads what there is to run, `parameters` checks it before anything starts, `page` executes one page,
`gpu` gives it a place on a GPU, `fingerprint` tells a change of code from a change of prose, and the
`Snakefile` ties them together.
"""
