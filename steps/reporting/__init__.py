"""The report of a publishing run, as one self-contained page."""
