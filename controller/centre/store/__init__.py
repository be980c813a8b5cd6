"""What the centre keeps: events, signal states, alarms, commands, accounts, and the audit log."""
