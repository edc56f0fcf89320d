"""DMA mappings (kernel/dma/)."""
