"""What gives an ad away, and how far it reaches."""
