"""The corridor, in reading order: s1_raw … s9_model, one file a stage, each a function that returns a `Step`.

Belongs here: what is true on arrival, what is true on leaving, who may read it. Does not belong here: techniques,
measures, files; `step.py` carries a step out, `asset.py` shows it to Dagster.
"""
