"""Measurements of the parts, for `mapteller bench`."""
