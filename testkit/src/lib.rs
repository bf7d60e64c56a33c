//! What tests share: a database each, deliveries to sign, events to shape.
