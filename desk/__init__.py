"""The web desk and its API: pages and routes; every action is a call into triage."""
