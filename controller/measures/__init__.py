"""Performance measures of signals from their high-resolution events; pure, by the published definitions."""
