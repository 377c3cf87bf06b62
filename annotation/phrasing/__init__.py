"""Parts of wording: tables of phrases for quantities and places, read in both directions."""
