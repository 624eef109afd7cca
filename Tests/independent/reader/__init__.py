"""A second reader of Sennit's format, written from SPEC.md alone: see ../README.md."""
