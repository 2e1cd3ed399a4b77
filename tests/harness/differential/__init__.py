"""The differential test: commands made from the command table, sent to two servers, compared."""
