"""Networks that turn pictures into vectors, behind `featurization.vision.ImageEncoder`."""
