-- The end of every load: one line for the shell, `<per second> <p50 ms> <p99 ms> <requests> <failures>`.
-- A failure is an answer that is no success (wrk counts those from 400 on), a time-out or a broken connection.

function done(summary, latency)
  local errors = summary.errors
  local failures = errors.status + errors.timeout + errors.connect + errors.read + errors.write
  io.stdout:write(string.format("report %.1f %.3f %.3f %d %d\n",
    summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3,
    summary.requests,
    failures))
end
