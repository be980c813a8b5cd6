"""What the console says, in Vietnamese and English: a table per page, for templates and scripts."""
