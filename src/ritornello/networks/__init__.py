"""Networks in torch, one file each; `steps/` has the same networks one row at a time in numpy."""
