"""Builds the bundled sample show: script to speech, music, MP3, feed and truth."""
