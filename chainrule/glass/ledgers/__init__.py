"""Every quantity of one step of training, layer by layer."""
