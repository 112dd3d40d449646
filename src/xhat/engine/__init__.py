"""The training loop, which knows nothing of any kind of model or objective."""
