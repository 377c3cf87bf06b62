"""Parts of the tag table: rows, nouns, what hides an element, coverage, and the wiki's definitions."""
