"""Compile the flows for an engine, with S3 and AWS in memory, and compare what comes out with the profile."""
