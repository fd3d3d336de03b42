"""The version of this code, also where it runs from an extracted package and nothing is installed."""

VERSION = "0.1.0"
