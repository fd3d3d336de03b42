"""Networks that turn sound into frames of numbers, behind `featurization.sound_vectors.SoundEncoder`."""
