"""Local servers that speak a network's protocol, for the network's far end in tests."""
