"""The scikit-learn face: autoencoders that fit, transform and score as its own estimators do."""
