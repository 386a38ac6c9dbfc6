"""From findings to safe operation sequences, written for the user's own models.

    kinds.py        which findings may have some
    situations.py   what a sequence needs to know of a finding
    registry.py     the sequences
    offers.py       asks each of them whether it fits
    render.py       turns a proposal into what a finding carries
    edit.py         writes its migrations into texts

Nothing is loaded with the package: most checks find nothing that has a way out.
"""
