"""Letters: rendering, checking of precompiled PDFs, printing, returns."""
