"""Knowledge distillation: finished runs as teachers of a new one."""
