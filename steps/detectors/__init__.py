"""Training of the detectors: sources, mixtures, networks and how they are judged."""
