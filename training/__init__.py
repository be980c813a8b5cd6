"""Learning: Stable-Baselines3 on SUMO, curriculum, export with a model card."""
