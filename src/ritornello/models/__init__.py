"""Networks in torch with their numpy steps, their losses, and the model folder on disk."""
