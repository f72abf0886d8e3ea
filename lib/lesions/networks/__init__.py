"""The networks, one file a family; augmentation and batches."""
