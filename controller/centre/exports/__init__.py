"""What the centre gives away as a whole: maps, evidence, daily packages, data sets; each with a schema."""
