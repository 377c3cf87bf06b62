"""Map tiles: their arithmetic, where they are kept, and what is in them."""
