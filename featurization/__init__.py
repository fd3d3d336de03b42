"""Media in, typed values and arrays out. Knows nothing of stores or flows."""
