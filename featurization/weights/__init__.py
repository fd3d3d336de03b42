"""Weights that the project trained itself, as safetensors; config/models.toml says of each what it is."""
