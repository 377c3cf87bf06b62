"""Sentence patterns of the engine without a model: facts in, varied English out."""
