"""What ships, held to the product: nothing in it may name what is not there."""
