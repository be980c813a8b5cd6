"""What the city asks of its signals, as published definitions over stored rows (docs/reports.md)."""
