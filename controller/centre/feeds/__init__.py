"""What the centre gives to others: sources that read the store, sinks that deliver, what lies between."""
