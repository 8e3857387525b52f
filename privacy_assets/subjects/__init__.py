"""What a person may ask for: where they are, what is held of them, and that it ends.

    people       who is meant by an identifier
    tracing      which assets and versions hold them
    handing_out  all rows of theirs, sealed, for the person
    erasing      out of every asset, and out of what was made from it
    searching    that nothing of them is left

An identifier is only ever an argument of a function here: it comes from a file or from standard input, and goes into no
log, no message and no entry of the ledger.
"""
