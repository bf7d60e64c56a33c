//! HTTP for the app and for staff.
