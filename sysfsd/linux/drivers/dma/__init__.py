"""The DMA engine (drivers/dma/)."""
