"""Training and judging models, and the ones that are shipped, a folder each."""
