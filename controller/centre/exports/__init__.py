"""What the centre gives away as a whole: maps, daily packages, data sets; each documented and with a schema."""
