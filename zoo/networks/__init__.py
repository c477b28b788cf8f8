"""The networks themselves, one file per family. Imported only when a codec is loaded."""
