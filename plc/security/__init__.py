"""Keys, certificates and the rules by which a cabinet's door opens."""
