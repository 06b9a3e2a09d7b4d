"""Generated files held against every published cell: views of the files, counts, and the report."""
