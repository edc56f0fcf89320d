"""What sysfsd costs, beside what people would use otherwise. Each file of questions is a table of them."""
