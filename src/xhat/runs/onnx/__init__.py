"""A fitted model as an ONNX file: its graph, its numbers in eight bits, its run."""
