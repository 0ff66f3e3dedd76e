"""Commands that print what the product costs and how it compares."""
