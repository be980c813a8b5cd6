"""Who may do what at the centre: accounts, roles and their rights, sessions, tokens."""
