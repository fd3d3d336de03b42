"""From what a user typed to bytes on this disk: sources, listings, downloads."""
