"""What was computed, found again: the index, queries, and scores that mean something."""
