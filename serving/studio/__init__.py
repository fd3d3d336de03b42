"""The studio: web pages on the application of the API, where editors find, label, mark and judge."""
