"""BPF (kernel/bpf/)."""
