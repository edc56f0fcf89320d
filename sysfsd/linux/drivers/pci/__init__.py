"""PCI (drivers/pci/)."""
