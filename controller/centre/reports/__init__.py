"""Reports of the indicators: one document model, told as HTML, PDF and workbook (docs/reports.md)."""
