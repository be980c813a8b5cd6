"""Forecasts, warnings and hotspots from what the store keeps."""
