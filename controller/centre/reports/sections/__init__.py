"""The sections of reports: each a pure function from a `Basis` to what it says."""
