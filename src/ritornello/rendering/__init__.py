"""Piano rolls, sound, sheet music and line charts; `render` and `export` write them to files."""
