"""The pages, one file each: a file here is found, its `@page` functions are served."""
