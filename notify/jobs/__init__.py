"""Jobs: messages to the recipients in a spreadsheet; contact lists, uploads, and reports that users download."""
