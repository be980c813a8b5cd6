"""High-resolution events: what each signal and detector did, to a tenth of a second, in the Indiana codes."""
