"""The front door: settings, the pipeline of one window, and the command line."""
