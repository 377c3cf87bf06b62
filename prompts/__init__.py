"""Jinja templates and few-shot examples, one folder a task; data, found with importlib.resources."""
