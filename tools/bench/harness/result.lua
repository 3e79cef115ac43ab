-- Prints wrk's counts as one line of JSON.
function report(summary, latency, statuses)
  local errors = summary.errors
  local counted = {}
  for status, count in pairs(statuses or {}) do
    counted[#counted + 1] = string.format('"%d":%d', status, count)
  end
  local function ms(percent) return latency:percentile(percent) / 1e3 end
  io.write(string.format(
    '\nRESULT {"answers":%d,"seconds":%.3f,"refused":%d,"failed":%d,' ..
    '"p50Ms":%.2f,"p95Ms":%.2f,"p99Ms":%.2f,"p999Ms":%.2f,"maxMs":%.2f,"statuses":{%s}}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    ms(50), ms(95), ms(99), ms(99.9), latency.max / 1e3, table.concat(counted, ",")))
end
