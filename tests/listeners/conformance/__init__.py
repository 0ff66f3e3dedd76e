"""What every source has to stand: one suite, driven through the stations of `tests/servers`."""
