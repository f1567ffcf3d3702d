"""Files that services send by email: kept encrypted, behind a link of their own, for as long as was asked."""
