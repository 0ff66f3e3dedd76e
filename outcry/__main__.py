"""``python -m outcry`` is the command ``outcry``."""

from outcry.cli import main

main()
