"""One module per network; `listeners.registry` knows their names."""
