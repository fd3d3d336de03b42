"""What a flow step does, as plain functions over the store."""
