"""What comes in: scenes, map extracts, records, and a synthetic county to try things on."""
