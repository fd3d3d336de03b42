"""Candidates, their features, the models that order them, and the gates that exclude them."""
