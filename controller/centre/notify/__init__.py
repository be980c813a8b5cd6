"""Threshold rules over what is stored, and who is told: e-mail, SMS gateway, webhook."""
