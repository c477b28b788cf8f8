"""What a network costs: MACs, parameters, memory and serial steps, counted on the meta device."""
