"""The connection check: what stands between a cabinet and its first command; it only reads."""
