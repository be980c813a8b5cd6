"""The centre: a live page over the controller's journal. It only reads, so it can never delay a tick."""
