"""Evaluation: benchmark matrix, statistics, reports, the best fixed plan, the deployment gate."""
