"""Map sources: where OpenStreetMap elements come from."""
