"""Contracts and purposes from data that nobody has described.

looking ─► judging (detectors, headers) ─► combinations ─► writing
"""
