"""IPsec (net/xfrm/)."""
