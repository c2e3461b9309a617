"""The machine: processor, memory allocator and logging."""
