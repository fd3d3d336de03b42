"""What gives a story away: words of outcome, feelings, arcs that resolve, and what genres make of them."""
