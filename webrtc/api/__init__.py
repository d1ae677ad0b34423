"""REST resources, one per file."""
