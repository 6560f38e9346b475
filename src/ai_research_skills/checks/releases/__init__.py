"""The exact releases that a skill is written against: found, fetched, installed."""
