"""The machine behind `checkpoints/run`. Start reading at context.py: that is what a checkpoint sees."""
