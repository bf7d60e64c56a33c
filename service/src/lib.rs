//! What each process needs: clock, shutdown, telemetry, an HTTP server with limits, health and metrics.
