"""What the networks `lstm` and `transformer` share: all but their hidden layers."""
