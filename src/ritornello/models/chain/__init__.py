"""What the networks `lstm` and `transformer` share: everything except their hidden layers."""
