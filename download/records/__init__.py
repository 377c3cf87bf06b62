"""Published records of pictures: what others have found, and what they said of it."""
