"""Does what Metaflow makes of our flows say what the profile says? Compiled against an S3 in memory, before deploying."""
