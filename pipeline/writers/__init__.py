"""Writers: captioned samples in, dataset files out."""
