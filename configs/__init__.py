"""Ready configurations; data, found with importlib.resources."""
