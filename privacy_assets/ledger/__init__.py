"""The memory: what was published, read, approved and destroyed, so that nobody can change it unnoticed.

    merkle      the tree of RFC 6962: one hash stands for all entries, short proofs connect two of them
    notes       the texts that log and witness sign: C2SP signed notes, checkpoints, cosignatures
    witness     the second memory, outside the home: it signs only what continues what it has signed before
    difference  what was done to a list of entries, told from two lists of hashes
    log         the ledger itself: entries in a file, appended and verified under both signatures
    budget      what releases cost the people of a dataset, and whether one more may be made
    standalone  the same verified without any of this, by a file that an auditor can read

Belongs here: keeping entries. Does not belong here: what an entry means; that is its writer's business, but
for debits, whose sum is asked under the lock. An entry
never names a person: actors and subjects are keyed pseudonyms before they come here, and what stands here stays.
"""
