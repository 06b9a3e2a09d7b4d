"""Where things are in Wales: the 22 authorities, their postcode districts, small areas and neighbours."""
