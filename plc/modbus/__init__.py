"""Modbus TCP: register map, codec, vendor profiles, client adapter."""
