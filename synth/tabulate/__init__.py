"""The standard published tables, made from the files of a generated year as the statisticians would print them."""
