"""What will be congested soon, what was, and where traffic does not leave on green. Pure numpy, no I/O."""
