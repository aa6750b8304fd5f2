"""Run from sdks/python: python -m unittest."""
