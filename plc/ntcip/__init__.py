"""NTCIP 1202 over SNMP: codec, object identifiers, stage mapping, client adapter."""
