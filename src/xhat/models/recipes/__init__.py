"""Recipes: a paper as a function that gives a model and the objective that trains it; one a file."""
