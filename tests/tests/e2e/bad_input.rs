//! What arrives malformed, too large or too deep is refused with a clear answer, and the server lives.
