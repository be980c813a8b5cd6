"""Random signalised scenarios for learning: streets, signals, limits and traffic from a recipe and a seed."""

from denxanh.sim.generator.generate import RUNNING_START, generate
from denxanh.sim.generator.recipe import Layout, Recipe

__all__ = ["RUNNING_START", "Layout", "Recipe", "generate"]
