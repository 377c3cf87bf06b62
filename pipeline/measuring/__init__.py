"""Measures of a finished run, each over all of its parts."""
