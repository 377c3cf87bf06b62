"""What is said: measures, words, facts, tasks, prompts, engines and checks."""
