"""What happened to an image: one operator a file, with its adjoint and the solution of its data step."""
