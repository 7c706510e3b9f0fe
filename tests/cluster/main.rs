//! Tests against a real API server.

mod harness;
