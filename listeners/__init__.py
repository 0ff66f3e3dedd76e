"""Listeners hear: one small module per network, one contract, one landing zone."""
