"""Parts of the claim checker: reading a caption's words, and holding them against facts."""
