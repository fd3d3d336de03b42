"""Labels become heads, heads become probabilities, and what to judge next is suggested."""
