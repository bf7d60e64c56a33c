//! Given an event, when it is translated, then it says this.
