"""Imagery sources: where scenes are listed and their pixels read."""
