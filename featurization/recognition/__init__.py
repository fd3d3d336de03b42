"""What stands behind `transcribe`: engines, packs of speech, and sane words."""
