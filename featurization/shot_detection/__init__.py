"""Finding where shots change: a fast pass over all frames, TransNetV2, and PySceneDetect, behind one Protocol."""
