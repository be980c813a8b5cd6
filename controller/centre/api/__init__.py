"""The centre's API, version 1: what the console shows and does, for people's programs and our own pages."""
