"""Parts of measuring: frames, parts of geometries, shapes of areas, courses of lines."""
