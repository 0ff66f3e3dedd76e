"""Posts that are sent to us: a small HTTP endpoint before the landing zone."""
