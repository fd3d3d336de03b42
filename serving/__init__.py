"""The front door that is not a flow: the `rushes` command."""
