"""Checks: what a caption has to pass before it is accepted."""
