"""The virtual cabinet as an NTCIP 1202 controller: `face` holds it together, the others its parts."""
