"""ACPI (drivers/acpi/)."""
