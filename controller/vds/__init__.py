"""Zone data from cameras and radars: over HTTP or MQTT into the same readings as the cabinets' own zones."""
