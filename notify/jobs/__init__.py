"""Jobs: messages to a spreadsheet of recipients; contact lists, uploads, and reports that users download."""
