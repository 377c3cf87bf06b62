"""Painters: each draws one look of one thing on the surface."""
