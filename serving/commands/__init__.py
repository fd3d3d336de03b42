"""What each command of `rushes` does; how they are called is in serving/cli.py."""
