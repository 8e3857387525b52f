"""Where data about people comes from: one kind of source, one file.

A source finds what its contract names (`paths` or the like), digests it, and reads it into a candidate: every row it
holds ends in `data` or, with the reason, in `quarantine`.
"""
