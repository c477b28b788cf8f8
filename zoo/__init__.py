"""The zoo: one file per family of codecs, holding its cards. Networks stand in `networks/` and load late."""
