"""Reports: a run that can be looked at."""
