"""For analysts: frames, search, themes, reports, and the boards of Kibana."""
