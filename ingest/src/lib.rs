//! Every way in. Appends; decides nothing.
