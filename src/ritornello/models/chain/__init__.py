"""The common part of the networks `lstm` and `transformer`: everything but their hidden layers."""
