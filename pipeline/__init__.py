"""How it runs: configuration, commands, units of work on Ray, the run folder, writers and reports."""
